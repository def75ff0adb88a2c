package import Foundations
package import Tensors

/// A fold over axes.
package struct Reduction: Sendable, Hashable, Codable {
  /// What is folded.
  package enum Kind: String, Sendable, Codable {
    /// As named.
    case mean, sum, maximum, minimum, product

    /// The fold of at least one number; sums in double precision.
    fileprivate func value(_ values: ArraySlice<Float>) -> Float {
      switch self {
      case .mean: Float(values.reduce(0.0) { $0 + Double($1) } / Double(values.count))
      case .sum: Float(values.reduce(0.0) { $0 + Double($1) })
      case .maximum: values.max() ?? 0
      case .minimum: values.min() ?? 0
      case .product: values.reduce(1, *)
      }
    }
  }
  /// The fold.
  package var kind: Kind
  /// Sorted, non-negative axes. Whether they stay as extent 1 shows in the output value's shape.
  package var axes: [Int]

  private enum CodingKeys: String, CodingKey {
    case kind = "function"
    case axes
  }
  /// Makes a reduction.
  package init(kind: Kind, axes: [Int]) {
    self.kind = kind
    self.axes = axes
  }
}

extension Reduction: OperationFacts {
  package static let kind = "reduction"

  package var operation: Operation { .reduction(self) }

  package var label: String { "\(kind.rawValue)Reduction" }

  package func outputShape(_ inputs: [Shape], declared: Shape?) throws(MartletError) -> Shape {
    let x = inputs[0]
    try checkAxes(axes, of: x)
    let removed = Shape(x.dimensions.indices.filter { !axes.contains($0) }.map { x[$0] })
    if declared == removed { return removed }
    return Shape(x.dimensions.indices.map { axes.contains($0) ? 1 : x[$0] })
  }

  package func keepsBatch(_ operands: [Shape?], result: Shape) -> Bool { !axes.contains(0) }

  package func channelRule(_ inputs: [Shape], result: Shape) -> ChannelRule {
    .local { axis in
      guard !axes.contains(axis) else { return nil }
      guard result.rank != inputs[0].rank else { return axis }
      return axis - axes.count { $0 < axis }
    }
  }

  package func rows(axis: Int, _ inputs: [Shape], result: Shape) -> [RowRule.Operand]? {
    let kept = inputs[0].dimensions.indices.filter { !axes.contains($0) }
    let isFlat = result.rank != inputs[0].rank
    guard isFlat ? axis < kept.count : kept.contains(axis) else { return nil }
    return leadingRows(inputs, along: isFlat ? kept[axis] : axis)
  }

  package func folded(_ operands: [Tensor], shape: Shape) throws(MartletError) -> Tensor? {
    let x = operands[0]
    let permutation = x.shape.dimensions.indices.filter { !axes.contains($0) } + axes
    let ordered = Shape(permutation.map { x.shape[$0] })
    let length = axes.reduce(1) { $0 * x.shape[$1] }
    let rows = Transposition(permutation: permutation)
    guard length > 0, let values = try rows.folded([x], shape: ordered)?.floats else { return nil }
    return Tensor(
      shape,
      (0..<shape.count).map { index in
        kind.value(values[index * length..<(index + 1) * length])
      })
  }
}
