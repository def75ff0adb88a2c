import Glibc
package import Tensors

/// Other element-wise functions of one operand.
package enum UnaryFunction: String, Sendable, Hashable, Codable {
  /// As named.
  case negate, absolute, exponential, logarithm, squareRoot, reciprocal, errorFunction, floor,
    ceiling

  /// The function of one number.
  package func value(_ x: Float) -> Float {
    switch self {
    case .negate: -x
    case .absolute: abs(x)
    case .exponential: expf(x)
    case .logarithm: logf(x)
    case .squareRoot: x.squareRoot()
    case .reciprocal: 1 / x
    case .errorFunction: erff(x)
    case .floor: x.rounded(.down)
    case .ceiling: x.rounded(.up)
    }
  }
}

/// A function of each element.
package struct Unary: ElementwiseFacts {
  /// The function.
  package var function: UnaryFunction

  package static let kind = "unary"

  package var operation: Operation { .unary(function) }

  package var label: String { function.rawValue }

  package func applied(to x: Tensor) -> Tensor? {
    if let values = x.floats {
      return Tensor(x.shape, values.map { function.value($0) })
    }
    guard let values = x.integers else { return nil }
    switch function {
    case .negate: return Tensor(x.shape, values.map { 0 &- $0 })
    case .absolute: return Tensor(x.shape, values.map { $0 < 0 ? 0 &- $0 : $0 })
    case .floor, .ceiling: return x
    default: return nil
    }
  }
}
