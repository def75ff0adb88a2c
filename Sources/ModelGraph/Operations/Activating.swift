package import Foundations
package import Tensors

/// A non-linearity as a node of its own.
package struct Activating: OperationFacts {
  /// The function.
  package var activation: Activation

  package static let kind = "activation"

  package var operation: Operation { .activation(activation) }

  package var label: String { activation.kind }

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
    operands[0].floats.map { Tensor(shape, $0.map { activation.value($0) }) }
  }
}
