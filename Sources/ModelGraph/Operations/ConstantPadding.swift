package import Foundations
package import Tensors

/// A border of one value around the operand, or less of it.
package struct ConstantPadding: OperationFacts {
  /// What is added before and after, one entry per axis; a negative entry crops.
  package var before, after: [Int]
  /// The border's elements.
  package var value: Float

  package static let kind = "pad"

  package var operation: Operation { .pad(before: before, after: after, value: value) }

  package func outputShape(_ inputs: [Shape], declared: Shape?) throws(MartletError) -> Shape {
    let x = inputs[0]
    let limit = -Shape.maximumCount...Shape.maximumCount
    guard before.count == x.rank, after.count == x.rank,
      (before + after).allSatisfy({ limit.contains($0) })
    else { throw mismatch("the padding does not fit the operand", [x]) }
    return try Shape(checking: x.dimensions.indices.map { before[$0] + x[$0] + after[$0] })
  }

  /// Cropping more than there is has no meaning on either side.
  package func check(_ inputs: [Shape], result: Shape) throws(MartletError) {
    try checkInferred(inputs, result: result)
    let limit = 1 << 30
    for (extent, cells) in zip(inputs[0].dimensions, zip(before, after)) {
      guard (-min(extent, limit)...limit).contains(cells.0),
        (-min(extent, limit)...limit).contains(cells.1)
      else { throw mismatch("the padding does not fit the operand", inputs) }
    }
  }

  package func keepsBatch(_ operands: [Shape?], result: Shape) -> Bool {
    before.first == 0 && after.first == 0
  }

  package func channelRule(_ inputs: [Shape], result: Shape) -> ChannelRule {
    .local { before[$0] == 0 && after[$0] == 0 ? $0 : nil }
  }

  package func rows(axis: Int, _ inputs: [Shape], result: Shape) -> [RowRule.Operand]? {
    before[axis] == 0 && after[axis] == 0 ? leadingRows(inputs, along: axis) : nil
  }

  package func isIdentity(on shape: Shape) -> Bool {
    before.allSatisfy { $0 == 0 } && after.allSatisfy { $0 == 0 }
  }

  package func folded(_ operands: [Tensor], shape: Shape) throws(MartletError) -> Tensor? {
    let x = operands[0]
    let strides = x.shape.strides
    return x.gathered(
      shape,
      before.indices.map { axis in
        (0..<shape[axis]).map {
          let index = $0 - before[axis]
          return (0..<x.shape[axis]).contains(index) ? index * strides[axis] : -1
        }
      }, fill: value)
  }
}
