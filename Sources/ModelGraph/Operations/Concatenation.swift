package import Foundations
package import Tensors

/// Operands one after the other along an axis.
package struct Concatenation: OperationFacts {
  /// The axis.
  package var axis: Int

  package static let kind = "concatenation"
  package static let operandCounts = 1...Int.max

  package var operation: Operation { .concatenation(axis: axis) }

  package func outputShape(_ inputs: [Shape], declared: Shape?) throws(MartletError) -> Shape {
    let first = inputs[0]
    try checkAxes([axis], of: first)
    var total = 0
    for shape in inputs {
      guard shape.rank == first.rank,
        first.dimensions.replacing(axis, with: shape[axis]) == shape.dimensions
      else { throw mismatch("the operands differ outside axis \(axis)", [first, shape]) }
      total += shape[axis]
    }
    return try Shape(checking: first.dimensions.replacing(axis, with: total))
  }

  package func keepsBatch(_ operands: [Shape?], result: Shape) -> Bool {
    axis != 0 && operands.allSatisfy { $0 != nil }
  }

  package func rows(axis: Int, _ inputs: [Shape], result: Shape) -> [RowRule.Operand]? {
    guard axis != self.axis else { return nil }
    return inputs.map { RowRule.Operand.rows(axis: axis, .same($0[axis])) }
  }

  package func folded(_ operands: [Tensor], shape: Shape) throws(MartletError) -> Tensor? {
    func joined<Element>(_ parts: [[Element]]) -> [Element] {
      var result: [Element] = []
      result.reserveCapacity(shape.count)
      let runs = operands.map { $0.shape[axis] * $0.shape.innerCount(after: axis) }
      for outer in 0..<shape.outerCount(before: axis) {
        for (part, run) in zip(parts, runs) { result += part[outer * run..<(outer + 1) * run] }
      }
      return result
    }
    let floats = operands.compactMap(\.floats)
    if floats.count == operands.count { return Tensor(shape, joined(floats)) }
    let integers = operands.compactMap(\.integers)
    return integers.count == operands.count ? Tensor(shape, joined(integers)) : nil
  }
}
