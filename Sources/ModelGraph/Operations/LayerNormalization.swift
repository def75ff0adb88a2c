package import Foundations
package import Tensors

/// Normalisation to mean 0 and variance 1 over the given axes, then scale and shift.
package struct LayerNormalization: Sendable, Hashable, Codable {
  /// Sorted, non-negative axes; the trailing axes as in ONNX, or axis 1 after layout propagation.
  package var axes: [Int]
  /// Added to the variance.
  package var epsilon: Float
  /// Makes a layer normalisation.
  package init(axes: [Int], epsilon: Float) {
    self.axes = axes
    self.epsilon = epsilon
  }
}

extension LayerNormalization: OperationFacts {
  package static let kind = "layerNormalization"
  package static let operandCounts = 1...3

  package var operation: Operation { .layerNormalization(self) }

  package func outputShape(_ inputs: [Shape], declared: Shape?) throws(MartletError) -> Shape {
    let x = inputs[0]
    try checkAxes(axes, of: x)
    let parameters = Shape(axes.map { x[$0] })
    guard inputs.dropFirst().allSatisfy({ $0 == parameters }) else {
      throw mismatch("scale or shift does not fit the normalised axes", inputs)
    }
    return x
  }

  package func check(_ inputs: [Shape], result: Shape) throws(MartletError) {
    try checkInferred(inputs, result: result)
    let rank = inputs[0].rank
    guard !axes.isEmpty, axes == Array((rank - axes.count)..<rank) || axes == [1] else {
      throw mismatch(
        "layer normalisation is supported over trailing axes or axis 1 only", inputs)
    }
  }

  package func keepsBatch(_ operands: [Shape?], result: Shape) -> Bool {
    operands.dropFirst().allSatisfy { $0 == nil } && !axes.contains(0)
  }

  package func channelRule(_ inputs: [Shape], result: Shape) -> ChannelRule {
    .localExcept(axes)
  }

  package func rows(axis: Int, _ inputs: [Shape], result: Shape) -> [RowRule.Operand]? {
    axes.contains(axis) ? nil : leadingRows(inputs, along: axis)
  }
}
