import Foundations
import ModelGraph
import Tensors

// Comparisons and choices at run time, where truth values are the numbers 1 and 0. Of constants they are
// integers, as in files.
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
    "Not": atRunTime { (lowering, node) throws(MartletError) in
      [try negated(&lowering, try node.input(0), node)]
    },
    "Where": atRunTime { (lowering, node) throws(MartletError) in
      [try lowering.add(.choice, try aligned(&lowering, node, 3), node)]
    },
  ]

  /// A rule for where some operand is computed; for constants there is another one.
  private static func atRunTime(_ rule: @escaping Rule) -> Rule {
    { (lowering, node) throws(MartletError) in
      let isConstant = node.inputs.allSatisfy { id in
        id.map { lowering.builder.graph.constants[$0] != nil } ?? true
      }
      if isConstant, let known = constants[node.kind] { return try known(&lowering, node) }
      return try rule(&lowering, node)
    }
  }

  private static func compare(_ function: BinaryFunction) -> Rule {
    atRunTime { (lowering, node) throws(MartletError) in
      [try lowering.add(.binary(function), try aligned(&lowering, node, 2), node)]
    }
  }

  /// Operands of one type: constant integers become numbers where not everything is constant.
  private static func aligned(
    _ lowering: inout Lowering, _ node: NodeReader, _ count: Int
  ) throws(MartletError) -> [ValueID] {
    let operands = try (0..<count).map { (index) throws(MartletError) in try node.input(index) }
    guard operands.contains(where: { lowering.builder.graph.constants[$0] == nil }) else {
      return operands
    }
    return try operands.map { (id) throws(MartletError) in try floating(&lowering, id, node) }
  }

  private static func negated(
    _ lowering: inout Lowering, _ x: ValueID, _ node: NodeReader
  ) throws(MartletError) -> ValueID {
    let isInteger = lowering.builder.graph[x].elementType == .int64
    let zero = lowering.constant(
      isInteger ? Tensor([], [0 as Int64]) : Tensor([], [0 as Float]), node, "zero")
    return try lowering.add(.binary(.equal), [x, zero], node)
  }
}
