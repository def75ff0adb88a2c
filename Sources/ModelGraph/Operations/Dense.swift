package import Foundations
package import Tensors

/// A fully connected layer over the last axis.
package struct Dense: Sendable, Hashable, Codable {
  /// Applied to each output.
  package var activation: Activation?
  /// Makes a dense layer.
  package init(activation: Activation? = nil) { self.activation = activation }
}

extension Dense: OperationFacts {
  package static let kind = "dense"
  package static let operandCounts = 2...3

  package var operation: Operation { .dense(self) }

  package func outputShape(_ inputs: [Shape], declared: Shape?) throws(MartletError) -> Shape {
    let (x, weights) = (inputs[0], inputs[1])
    guard x.rank >= 1, weights.rank == 2, x[x.rank - 1] == weights[1],
      inputs.count < 3 || inputs[2] == [weights[0]]
    else { throw mismatch("weights or bias do not fit the operand", inputs) }
    return try Shape(checking: x.dimensions.dropLast() + [weights[0]])
  }

  package func multiplyAdds(_ inputs: [Shape], result: Shape) -> Int {
    result.count * (inputs.first?.dimensions.last ?? 0)
  }

  package func keepsBatch(_ operands: [Shape?], result: Shape) -> Bool {
    (operands[0]?.rank ?? 0) >= 2 && operands.dropFirst().allSatisfy { $0 == nil }
  }

  package func channelRule(_ inputs: [Shape], result: Shape) -> ChannelRule {
    .weighted(count: result[result.rank - 1], axis: result.rank - 1)
  }

  package func rows(axis: Int, _ inputs: [Shape], result: Shape) -> [RowRule.Operand]? {
    axis == result.rank - 1 ? nil : leadingRows(inputs, along: axis)
  }
}
