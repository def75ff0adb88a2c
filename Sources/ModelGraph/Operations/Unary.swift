package import Foundations
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
package struct Unary: OperationFacts {
  /// The function.
  package var function: UnaryFunction

  package static let kind = "unary"

  package var operation: Operation { .unary(function) }

  package var label: String { function.rawValue }

  package func outputShape(_ inputs: [Shape], declared: Shape?) throws(MartletError) -> Shape {
    inputs[0]
  }

  package func keepsBatch(_ operands: [Shape?], result: Shape) -> Bool {
    isOnlyFirstBatched(operands)
  }

  package func channelRule(_ inputs: [Shape], result: Shape) -> ChannelRule { .local { $0 } }

  package func rows(axis: Int, _ inputs: [Shape], result: Shape) -> [RowRule.Operand]? {
    leadingRows(inputs, along: axis)
  }

  package func folded(_ operands: [Tensor], shape: Shape) throws(MartletError) -> Tensor? {
    let x = operands[0]
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
