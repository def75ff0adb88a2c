package import Foundations
package import Tensors

/// What all functions of each element of one operand have in common, whichever function it is.
package protocol ElementwiseFacts: OperationFacts {
  /// The function of each element; nil for operand types that it does not define.
  func applied(to operand: Tensor) -> Tensor?
}

extension ElementwiseFacts {
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
    applied(to: operands[0])
  }
}
