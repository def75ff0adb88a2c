package import Foundations
package import Tensors

/// A scale and a shift for each channel.
package struct ChannelAffine: OperationFacts {
  package static let kind = "channelAffine"
  package static let operandCounts = 3...3

  package var operation: Operation { .channelAffine }

  package func outputShape(_ inputs: [Shape], declared: Shape?) throws(MartletError) -> Shape {
    let x = inputs[0]
    guard x.rank >= 2, inputs[1] == [x[1]], inputs[2] == [x[1]] else {
      throw mismatch("scale and shift do not have one entry per channel", inputs)
    }
    return x
  }

  package func keepsBatch(_ operands: [Shape?], result: Shape) -> Bool {
    isOnlyFirstBatched(operands)
  }

  package func channelRule(_ inputs: [Shape], result: Shape) -> ChannelRule { .imageChannels }

  package func rows(axis: Int, _ inputs: [Shape], result: Shape) -> [RowRule.Operand]? {
    axis == 1 ? nil : leadingRows(inputs, along: axis)
  }
}
