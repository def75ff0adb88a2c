import CKernels
import Glibc

/// An element-wise non-linearity with f(0) as documented; used fused or alone.
package enum Activation: Sendable, Hashable {
  /// max(x, 0)
  case relu
  /// x clamped to a range; ReLU6 is `clip(0, 6)`.
  case clip(minimum: Float, maximum: Float)
  /// x for x > 0, else slope * x
  case leakyRelu(slope: Float)
  /// 1 / (1 + exp(-x)); f(0) = 0.5
  case sigmoid
  /// tanh(x)
  case tanh
  /// x * sigmoid(x)
  case silu
  /// 0.5 x (1 + erf(x / sqrt 2))
  case gelu
  /// clamp(slope x + offset, 0, 1)
  case hardSigmoid(slope: Float, offset: Float)
  /// x * clamp(x / 6 + 0.5, 0, 1)
  case hardSwish
  /// x for x > 0, else slope (exp(x) - 1)
  case elu(slope: Float)
  /// scale times `elu`
  case selu(slope: Float, scale: Float)
  /// x for x > 0, else slope (exp(x / slope) - 1); the slope is not 0
  case celu(slope: Float)
  /// log(1 + exp(x)); f(0) = log 2
  case softplus
  /// x * tanh(log(1 + exp(x)))
  case mish
  /// x / (1 + |x|)
  case softsign
  /// x for x > threshold, else 0
  case thresholdedRelu(threshold: Float)

  /// All that is known about this activation, but for its loops (`ck_activations.h`).
  private var facts: Facts {
    switch self {
    case .relu: Facts(.relu, CK_RELU, tellsSlope: true) { x, _, _ in max(x, 0) }
    case .clip(let minimum, let maximum):
      Facts(
        .clip, CK_CLIP, Parameter(.minimum, minimum, isOpen: true),
        Parameter(.maximum, maximum, isOpen: true), tellsSlope: true
      ) { x, minimum, maximum in min(max(x, minimum), maximum) }
    case .leakyRelu(let slope):
      // A slope of 0 or below folds the line, or turns it over.
      Facts(.leakyRelu, CK_LEAKY_RELU, Parameter(.slope, slope), tellsSlope: slope > 0) {
        x, slope, _ in x > 0 ? x : slope * x
      }
    case .sigmoid: Facts(.sigmoid, CK_SIGMOID, tellsSlope: true) { x, _, _ in 1 / (1 + expf(-x)) }
    case .tanh: Facts(.tanh, CK_TANH, tellsSlope: true) { x, _, _ in tanhf(x) }
    case .silu: Facts(.silu, CK_SILU, tellsSlope: false) { x, _, _ in x / (1 + expf(-x)) }
    case .gelu:
      Facts(.gelu, CK_GELU, tellsSlope: false) { x, _, _ in
        0.5 * x * (1 + erff(x * Float(0.5).squareRoot()))
      }
    case .hardSigmoid(let slope, let offset):
      Facts(
        .hardSigmoid, CK_HARD_SIGMOID, Parameter(.slope, slope), Parameter(.offset, offset),
        tellsSlope: slope != 0
      ) { x, slope, offset in min(max(slope * x + offset, 0), 1) }
    case .hardSwish:
      Facts(.hardSwish, CK_HARD_SWISH, tellsSlope: false) { x, _, _ in
        x * min(max(x / 6 + 0.5, 0), 1)
      }
    case .elu(let slope):
      // With a slope of 0 or below, a result says nothing of what it was made of.
      Facts(.elu, CK_ELU, Parameter(.slope, slope), tellsSlope: slope > 0) { x, slope, _ in
        x > 0 ? x : slope * expm1f(x)
      }
    case .selu(let slope, let scale):
      Facts(
        .selu, CK_SELU, Parameter(.slope, slope), Parameter(.scale, scale), tellsSlope: false
      ) { x, slope, scale in scale * (x > 0 ? x : slope * expm1f(x)) }
    case .celu(let slope):
      Facts(.celu, CK_CELU, Parameter(.slope, slope), tellsSlope: false) { x, slope, _ in
        x > 0 ? x : slope * expm1f(x / slope)
      }
    case .softplus:
      Facts(.softplus, CK_SOFTPLUS, tellsSlope: false) { x, _, _ in
        x > 0 ? x + log1pf(expf(-x)) : log1pf(expf(x))
      }
    case .mish:
      Facts(.mish, CK_MISH, tellsSlope: false) { x, _, _ in
        x * tanhf(x > 0 ? x + log1pf(expf(-x)) : log1pf(expf(x)))
      }
    case .softsign: Facts(.softsign, CK_SOFTSIGN, tellsSlope: true) { x, _, _ in x / (1 + abs(x)) }
    case .thresholdedRelu(let threshold):
      Facts(
        .thresholdedRelu, CK_THRESHOLDED_RELU, Parameter(.threshold, threshold), tellsSlope: false
      ) { x, threshold, _ in x <= threshold ? 0 : x }
    }
  }

  /// Names as written in plans and listings.
  private enum Name: String {
    case relu, clip, leakyRelu, sigmoid, tanh, silu, gelu, hardSigmoid, hardSwish, elu, selu, celu,
      softplus, mish, softsign, thresholdedRelu
  }

  /// Reads what `encode(to:)` writes.
  private init(_ name: Name, from container: KeyedDecodingContainer<Key>) throws {
    func number(_ key: Key) throws -> Float { try container.decode(Float.self, forKey: key) }
    func bound(_ key: Key) throws -> Float? {
      try container.decodeIfPresent(Float.self, forKey: key)
    }
    self =
      switch name {
      case .relu: .relu
      case .clip:
        .clip(
          minimum: try bound(.minimum) ?? -.infinity, maximum: try bound(.maximum) ?? .infinity)
      case .leakyRelu: .leakyRelu(slope: try number(.slope))
      case .sigmoid: .sigmoid
      case .tanh: .tanh
      case .silu: .silu
      case .gelu: .gelu
      case .hardSigmoid: .hardSigmoid(slope: try number(.slope), offset: try number(.offset))
      case .hardSwish: .hardSwish
      case .elu: .elu(slope: try number(.slope))
      case .selu: .selu(slope: try number(.slope), scale: try number(.scale))
      case .celu: .celu(slope: try number(.slope))
      case .softplus: .softplus
      case .mish: .mish
      case .softsign: .softsign
      case .thresholdedRelu: .thresholdedRelu(threshold: try number(.threshold))
      }
  }

  private enum Key: String, CodingKey {
    case kind, minimum, maximum, slope, offset, scale, threshold
  }

  /// A number that belongs to an activation.
  private struct Parameter {
    let key: Key
    let value: Float
    /// Whether an infinite value is left out in plans: JSON has none.
    let isOpen: Bool

    init(_ key: Key, _ value: Float, isOpen: Bool = false) {
      self.key = key
      self.value = value
      self.isOpen = isOpen
    }
  }

  /// A row of the table above. Making one allocates nothing: functions capture nothing.
  private struct Facts {
    typealias Function = (_ x: Float, _ a: Float, _ b: Float) -> Float

    let name: Name
    let code: Int
    let a: Parameter?
    let b: Parameter?
    /// Whether f'(x) is a function of f(x).
    let tellsSlope: Bool
    let function: Function

    init(
      _ name: Name, _ code: Int, _ a: Parameter? = nil, _ b: Parameter? = nil, tellsSlope: Bool,
      function: @escaping Function
    ) {
      self.name = name
      self.code = code
      self.a = a
      self.b = b
      self.tellsSlope = tellsSlope
      self.function = function
    }
  }
}

extension Activation {
  /// The function's name as written in plans and listings.
  package var kind: String { facts.name.rawValue }

  /// What C calls it (`CK_RELU`, …), and its parameters in order; 0 where it has none.
  package var code: (kind: Int32, a: Float, b: Float) {
    let facts = facts
    return (Int32(facts.code), facts.a?.value ?? 0, facts.b?.value ?? 0)
  }

  /// Whether f'(x) is a function of f(x), so that a layer may keep its activation fused in training.
  package var slopeFollowsFromResult: Bool { facts.tellsSlope }

  /// The function of one number; the definition that kernels are tested against.
  package func value(_ x: Float) -> Float {
    let facts = facts
    return facts.function(x, facts.a?.value ?? 0, facts.b?.value ?? 0)
  }
}

extension Activation: Codable {
  /// Writes the kind and its parameters side by side.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    let facts = facts
    try container.encode(facts.name.rawValue, forKey: .kind)
    for case let parameter? in [facts.a, facts.b]
    where parameter.value.isFinite || !parameter.isOpen {
      try container.encode(parameter.value, forKey: parameter.key)
    }
  }

  /// Reads what `encode(to:)` writes.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let kind = try container.decode(String.self, forKey: .kind)
    guard let name = Name(rawValue: kind) else {
      throw DecodingError.dataCorruptedError(
        forKey: .kind, in: container, debugDescription: "unknown activation \"\(kind)\"")
    }
    try self.init(name, from: container)
  }
}
