package import Foundations
package import Tensors

/// The same elements in order, as another shape.
package struct Reshaping: OperationFacts {
  package static let kind = "reshape"

  package var operation: Operation { .reshape }

  package func outputShape(_ inputs: [Shape], declared: Shape?) throws(MartletError) -> Shape {
    guard let declared, declared.count == inputs[0].count else {
      throw mismatch(
        "a reshape changes the number of elements", inputs + (declared.map { [$0] } ?? []))
    }
    return declared
  }

  package func keepsBatch(_ operands: [Shape?], result: Shape) -> Bool {
    operands[0]?.dimensions.first == result[0]
  }

  package func channelRule(_ inputs: [Shape], result: Shape) -> ChannelRule {
    .local { inputs[0].axis($0, carriedTo: result) }
  }

  package func rows(axis: Int, _ inputs: [Shape], result: Shape) -> [RowRule.Operand]? {
    let axes = inputs[0].dimensions.indices
    return axes.first { inputs[0].axis($0, carriedTo: result) == axis }
      .map { leadingRows(inputs, along: $0) }
  }

  package func isIdentity(on shape: Shape) -> Bool { true }

  package func folded(_ operands: [Tensor], shape: Shape) throws(MartletError) -> Tensor? {
    operands[0].reshaped(shape)
  }
}
