package import Foundations
package import Tensors

/// The elements start, start + step, … of one axis; `count` of them.
package struct SliceRange: Sendable, Hashable, Codable {
  /// First index.
  package var start: Int
  /// Distance between indices; may be negative, never 0.
  package var step: Int
  /// How many.
  package var count: Int
  /// Makes a range.
  package init(start: Int, step: Int = 1, count: Int) {
    self.start = start
    self.step = step
    self.count = count
  }
}

/// A part of each axis.
package struct Slicing: OperationFacts {
  /// One entry per axis.
  package var ranges: [SliceRange]

  package static let kind = "slice"

  package var operation: Operation { .slice(ranges) }

  package func outputShape(_ inputs: [Shape], declared: Shape?) throws(MartletError) -> Shape {
    let x = inputs[0]
    guard ranges.count == x.rank else { throw mismatch("a slice needs one range per axis", [x]) }
    for (range, extent) in zip(ranges, x.dimensions) {
      if range.count == 0, (0...extent).contains(range.start) { continue }
      guard range.step != 0, range.count > 0, range.count <= extent,
        (0..<extent).contains(range.start),
        range.count == 1 || range.step.magnitude <= UInt((extent - 1) / (range.count - 1)),
        range.count == 1
          || (0..<extent).contains(range.start + range.step * (range.count - 1))
      else { throw mismatch("a slice reaches outside its operand", [x]) }
    }
    return Shape(ranges.map(\.count))
  }

  /// The step also counts where a single element is taken: kernels multiply it with strides.
  package func check(_ inputs: [Shape], result: Shape) throws(MartletError) {
    try checkInferred(inputs, result: result)
    guard ranges.allSatisfy({ (-1 << 31...1 << 31).contains($0.step) }) else {
      throw mismatch("a slice has an impossible step", inputs)
    }
  }

  package func keepsBatch(_ operands: [Shape?], result: Shape) -> Bool {
    ranges.first == SliceRange(start: 0, step: 1, count: result[0])
  }

  /// The extent of axis 0 is the count of its range.
  package func rebatched(to count: Int) -> Slicing {
    guard !ranges.isEmpty else { return self }
    var other = self
    other.ranges[0].count = count
    return other
  }

  package func channelRule(_ inputs: [Shape], result: Shape) -> ChannelRule {
    .local { axis in
      let whole = SliceRange(start: 0, step: 1, count: inputs[0][axis])
      return ranges[axis] == whole ? axis : nil
    }
  }

  package func rows(axis: Int, _ inputs: [Shape], result: Shape) -> [RowRule.Operand]? {
    let range = ranges[axis]
    guard range.step > 0 else { return nil }
    let window = RowWindow(
      extent: inputs[0][axis], stride: range.step, before: -range.start, span: 1)
    return leadingRows(inputs, along: axis, .window(window))
  }

  package func isIdentity(on shape: Shape) -> Bool {
    ranges.allSatisfy { $0.start == 0 && $0.step == 1 }
  }

  package func folded(_ operands: [Tensor], shape: Shape) throws(MartletError) -> Tensor? {
    let strides = operands[0].shape.strides
    return operands[0].gathered(
      shape,
      zip(ranges, strides).map { range, stride in
        (0..<range.count).map { (range.start + $0 * range.step) * stride }
      }, fill: 0)
  }
}
