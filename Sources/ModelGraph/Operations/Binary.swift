package import Foundations
import Glibc
package import Tensors

/// Element-wise functions of two operands.
package enum BinaryFunction: String, Sendable, Hashable, Codable {
  /// As named.
  case add, subtract, multiply, divide, power, maximum, minimum
  /// 1 where it holds, else 0.
  case equal, less, lessOrEqual, greater, greaterOrEqual

  /// The function of two numbers.
  package func value(_ a: Float, _ b: Float) -> Float {
    switch self {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    case .power: powf(a, b)
    // What is not a number stays so, whichever operand it is.
    case .maximum: a.isNaN || a > b ? a : b
    case .minimum: a.isNaN || a < b ? a : b
    case .equal: a == b ? 1 : 0
    case .less: a < b ? 1 : 0
    case .lessOrEqual: a <= b ? 1 : 0
    case .greater: a > b ? 1 : 0
    case .greaterOrEqual: a >= b ? 1 : 0
    }
  }

  /// Whether the result is 1 or 0, by whether something holds.
  package var isComparison: Bool {
    switch self {
    case .equal, .less, .lessOrEqual, .greater, .greaterOrEqual: true
    case .add, .subtract, .multiply, .divide, .power, .maximum, .minimum: false
    }
  }

  /// The function of two integers, wrapping on overflow. Division by zero traps: check before.
  fileprivate func value(_ a: Int64, _ b: Int64) -> Int64 {
    switch self {
    case .add: a &+ b
    case .subtract: a &- b
    case .multiply: a &* b
    case .divide: a.dividedReportingOverflow(by: b).partialValue
    case .power: 0
    case .maximum: max(a, b)
    case .minimum: min(a, b)
    case .equal: a == b ? 1 : 0
    case .less: a < b ? 1 : 0
    case .lessOrEqual: a <= b ? 1 : 0
    case .greater: a > b ? 1 : 0
    case .greaterOrEqual: a >= b ? 1 : 0
    }
  }
}

/// A function of two operands, element by element.
package struct Binary: OperationFacts {
  /// The function.
  package var function: BinaryFunction

  package static let kind = "binary"
  package static let operandCounts = 2...2

  package var operation: Operation { .binary(function) }

  package var label: String { function.rawValue }

  package func outputShape(_ inputs: [Shape], declared: Shape?) throws(MartletError) -> Shape {
    try Shape.broadcast(inputs[0], inputs[1])
  }

  package func keepsBatch(_ operands: [Shape?], result: Shape) -> Bool {
    operands.allSatisfy { $0 == nil || $0?.rank == result.rank }
  }

  package func channelRule(_ inputs: [Shape], result: Shape) -> ChannelRule { .elementwise }

  package func rows(axis: Int, _ inputs: [Shape], result: Shape) -> [RowRule.Operand]? {
    inputs.map { shape -> RowRule.Operand in
      let from = axis - (result.rank - shape.rank)
      return from >= 0 && shape[from] > 1 ? .rows(axis: from, .same(shape[from])) : .whole
    }
  }

  package func folded(_ operands: [Tensor], shape: Shape) throws(MartletError) -> Tensor? {
    let (a, b) = (operands[0].broadcast(to: shape), operands[1].broadcast(to: shape))
    if let left = a.floats, let right = b.floats {
      // Truth values of constants are integers, as those of files are.
      if function.isComparison {
        return Tensor(a.shape, zip(left, right).map { Int64(function.value($0, $1)) })
      }
      return Tensor(a.shape, zip(left, right).map { function.value($0, $1) })
    }
    guard let left = a.integers, let right = b.integers else { return nil }
    guard function != .power else { return nil }
    if function == .divide, right.contains(0) {
      throw MartletError(.unsupported, "constant integer arithmetic divides by zero")
    }
    return Tensor(a.shape, zip(left, right).map { function.value($0, $1) })
  }
}

extension Shape {
  /// The NumPy broadcast of two shapes.
  ///
  /// - Throws: `.invalidShape` when they do not fit each other.
  package static func broadcast(_ a: Shape, _ b: Shape) throws(MartletError) -> Shape {
    if a == b { return a }
    let rank = max(a.rank, b.rank)
    var result = [Int](repeating: 1, count: rank)
    for axis in 0..<rank {
      let left = axis - (rank - a.rank) >= 0 ? a[axis - (rank - a.rank)] : 1
      let right = axis - (rank - b.rank) >= 0 ? b[axis - (rank - b.rank)] : 1
      guard left == right || left == 1 || right == 1 else {
        throw MartletError(
          .invalidShape, "two shapes cannot be broadcast together",
          context: ["shapes": "\(a), \(b)"])
      }
      result[axis] = left == 1 ? right : left
    }
    return try Shape(checking: result)
  }
}
