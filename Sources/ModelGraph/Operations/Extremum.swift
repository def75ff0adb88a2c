package import Foundations
package import Tensors

/// Where along an axis the largest or smallest element is (ONNX `ArgMax` and `ArgMin`): its index as a
/// number, and not a number where an element is none.
package struct Extremum: Sendable, Hashable, Codable {
  /// The axis, which stays with extent 1.
  package var axis: Int
  /// Whether the smallest element is looked for.
  package var isSmallest: Bool
  /// Whether the last of equal elements counts; else the first.
  package var isLast: Bool

  /// Describes what is looked for.
  package init(axis: Int, isSmallest: Bool = false, isLast: Bool = false) {
    self.axis = axis
    self.isSmallest = isSmallest
    self.isLast = isLast
  }

  /// The largest extent whose indices are all exact in single precision.
  private static let maximumExtent = 1 << 24
}

extension Extremum: OperationFacts {
  package static let kind = "extremum"

  package var operation: Operation { .extremum(self) }

  package var label: String { isSmallest ? "smallestPosition" : "largestPosition" }

  package func outputShape(_ inputs: [Shape], declared: Shape?) throws(MartletError) -> Shape {
    let x = inputs[0]
    try checkAxes([axis], of: x)
    guard (1...Self.maximumExtent).contains(x[axis]) else {
      throw mismatch("there is no largest element along an axis of \(x[axis])", inputs)
    }
    return Shape(x.dimensions.replacing(axis, with: 1))
  }

  package func keepsBatch(_ operands: [Shape?], result: Shape) -> Bool { axis != 0 }

  package func channelRule(_ inputs: [Shape], result: Shape) -> ChannelRule {
    .localExcept([axis])
  }

  package func rows(axis: Int, _ inputs: [Shape], result: Shape) -> [RowRule.Operand]? {
    axis == self.axis ? nil : leadingRows(inputs, along: axis)
  }
}
