package import Foundations
package import Tensors

/// Exponentials along one axis divided by their sum, or the logarithm of that.
package struct Softmax: OperationFacts {
  /// The axis.
  package var axis: Int
  /// Whether the result is the logarithm.
  package var logarithmic: Bool

  package static let kind = "softmax"

  package var operation: Operation { .softmax(axis: axis, logarithmic: logarithmic) }

  package var label: String { logarithmic ? "logSoftmax" : Self.kind }

  package func outputShape(_ inputs: [Shape], declared: Shape?) throws(MartletError) -> Shape {
    try checkAxes([axis], of: inputs[0])
    return inputs[0]
  }

  package func keepsBatch(_ operands: [Shape?], result: Shape) -> Bool { axis != 0 }

  package func channelRule(_ inputs: [Shape], result: Shape) -> ChannelRule {
    .localExcept([axis])
  }

  package func rows(axis: Int, _ inputs: [Shape], result: Shape) -> [RowRule.Operand]? {
    axis == self.axis ? nil : leadingRows(inputs, along: axis)
  }
}
