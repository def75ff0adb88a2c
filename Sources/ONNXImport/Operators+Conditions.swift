import Foundations
import ModelGraph
import Tensors

// Comparisons and choices at run time, where truth values are the numbers 1 and 0. Those of constants are
// integers, as in files: see `ConstantRules`.
extension Operators {
  static let conditions: [String: Rule] = [
    "Equal": compare(.equal), "Less": compare(.less), "LessOrEqual": compare(.lessOrEqual),
    "Greater": compare(.greater), "GreaterOrEqual": compare(.greaterOrEqual),
    "And": compare(.minimum), "Or": compare(.maximum),
    "Xor": { (lowering, node) throws(MartletError) in
      let operands = try aligned(&lowering, node, 2)
      let same = try lowering.add(.binary(.equal), operands, node, "same")
      return [try negated(&lowering, same, node)]
    },
    "Not": { (lowering, node) throws(MartletError) in
      [try negated(&lowering, try node.input(0), node)]
    },
    "Where": { (lowering, node) throws(MartletError) in
      [try lowering.add(.choice, try aligned(&lowering, node, 3), node)]
    },
  ]

  private static func compare(_ function: BinaryFunction) -> Rule {
    { (lowering, node) throws(MartletError) in
      let result = try lowering.add(.binary(function), try aligned(&lowering, node, 2), node)
      lowering.wholeNumbers[result] = 1
      return [result]
    }
  }

  /// Operands of one type: constant integers become numbers.
  private static func aligned(
    _ lowering: inout Lowering, _ node: NodeReader, _ count: Int
  ) throws(MartletError) -> [ValueID] {
    try (0..<count).map { (index) throws(MartletError) in
      try floating(&lowering, try node.input(index), node)
    }
  }

  private static func negated(
    _ lowering: inout Lowering, _ x: ValueID, _ node: NodeReader
  ) throws(MartletError) -> ValueID {
    let zero = lowering.constant(Tensor([], [0 as Float]), node, "zero")
    let result = try lowering.add(.binary(.equal), [x, zero], node)
    lowering.wholeNumbers[result] = 1
    return result
  }

  /// 1 where a computed value is not 0, else 0.
  static func truth(
    _ lowering: inout Lowering, _ x: ValueID, _ node: NodeReader
  ) throws(MartletError) -> ValueID {
    guard lowering.wholeNumbers[x] != 1 else { return x }
    let zero = lowering.constant(Tensor([], [0 as Float]), node, "zero")
    let isZero = try lowering.add(.binary(.equal), [x, zero], node, "isZero")
    return try negated(&lowering, isZero, node)
  }
}
