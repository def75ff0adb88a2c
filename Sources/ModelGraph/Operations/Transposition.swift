package import Foundations
package import Tensors

/// Axes in another order.
package struct Transposition: OperationFacts {
  /// Result axis i is operand axis `permutation[i]`.
  package var permutation: [Int]

  package static let kind = "transpose"

  package var operation: Operation { .transpose(permutation: permutation) }

  package func outputShape(_ inputs: [Shape], declared: Shape?) throws(MartletError) -> Shape {
    let x = inputs[0]
    guard permutation.sorted() == Array(0..<x.rank) else {
      throw mismatch("the permutation \(permutation) does not fit the operand", inputs)
    }
    return Shape(permutation.map { x[$0] })
  }

  package func keepsBatch(_ operands: [Shape?], result: Shape) -> Bool { permutation.first == 0 }

  package func channelRule(_ inputs: [Shape], result: Shape) -> ChannelRule {
    .local { permutation.firstIndex(of: $0) }
  }

  package func rows(axis: Int, _ inputs: [Shape], result: Shape) -> [RowRule.Operand]? {
    leadingRows(inputs, along: permutation[axis])
  }

  package func isIdentity(on shape: Shape) -> Bool { permutation == Array(permutation.indices) }

  package func folded(_ operands: [Tensor], shape: Shape) throws(MartletError) -> Tensor? {
    let offsets = operands[0].shape.axisOffsets
    return operands[0].gathered(shape, permutation.map { offsets[$0] }, fill: 0)
  }
}
