package import Foundations
package import Tensors

/// Chosen indices of one axis, in any order and as often as wanted.
package struct Selection: OperationFacts {
  /// The axis.
  package var axis: Int
  /// The operand's index of each of the result's.
  package var indices: [Int]

  package static let kind = "selection"

  package var operation: Operation { .selection(axis: axis, indices: indices) }

  package func outputShape(_ inputs: [Shape], declared: Shape?) throws(MartletError) -> Shape {
    let x = inputs[0]
    try checkAxes([axis], of: x)
    guard indices.allSatisfy({ $0 >= 0 && $0 < x[axis] }) else {
      throw mismatch("a selected index is out of range", inputs)
    }
    return try Shape(checking: x.dimensions.replacing(axis, with: indices.count))
  }

  package func keepsBatch(_ operands: [Shape?], result: Shape) -> Bool { axis != 0 }

  package func channelRule(_ inputs: [Shape], result: Shape) -> ChannelRule {
    .localExcept([axis])
  }

  package func rows(axis: Int, _ inputs: [Shape], result: Shape) -> [RowRule.Operand]? {
    axis == self.axis ? nil : leadingRows(inputs, along: axis)
  }

  package func isIdentity(on shape: Shape) -> Bool { indices == Array(indices.indices) }

  package func folded(_ operands: [Tensor], shape: Shape) throws(MartletError) -> Tensor? {
    let x = operands[0].shape
    let chosen = indices.map { $0 * x.strides[axis] }
    return operands[0].gathered(shape, x.axisOffsets.replacing(axis, with: chosen), fill: 0)
  }
}
