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
    }
  }

  /// Names as written in plans and listings.
  private enum Name: String {
    case relu, clip, leakyRelu, sigmoid, tanh, silu, gelu, hardSigmoid, hardSwish
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
      }
  }

  private enum Key: String, CodingKey { case kind, minimum, maximum, slope, offset }

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
