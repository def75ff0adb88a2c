import Tensors

/// The geometry of windows that slide along one axis.
package struct WindowAxis: Sendable {
  /// Cells of the operand, taps of the window, and the steps between windows and between taps.
  package var extent, kernel, stride, dilation: Int
  /// Padding before and after the operand.
  package var before, after: Int

  /// Describes one axis; see `isValid`.
  package init(extent: Int, kernel: Int, stride: Int, dilation: Int, before: Int, after: Int) {
    self.extent = extent
    self.kernel = kernel
    self.stride = stride
    self.dilation = dilation
    self.before = before
    self.after = after
  }

  /// Whether all numbers are in a range in which nothing below overflows.
  package var isValid: Bool {
    let limit = 1 << 24
    return (1...limit).contains(kernel) && (1...limit).contains(stride)
      && (1...limit).contains(dilation) && (0...limit).contains(before)
      && (0...limit).contains(after) && (0...Shape.maximumCount).contains(extent)
  }

  /// Whether all numbers are in the range that kernels take.
  var isComputable: Bool {
    let limit = 1 << 20
    return (1...limit).contains(kernel) && (1...limit).contains(stride)
      && (1...limit).contains(dilation) && (0...limit).contains(before)
      && (0...limit).contains(after)
  }

  /// Cells from the first to the last tap of one window.
  package var span: Int { (kernel - 1) * dilation + 1 }

  /// The number of windows that fit entirely into the padded operand.
  package var floorCount: Int {
    let room = extent + before + after - span
    return room < 0 ? 0 : room / stride + 1
  }

  /// The numbers of windows whose last one has at least its first tap within the padded operand, or
  /// the next place after.
  var counts: ClosedRange<Int> {
    let room = extent + before + after - span
    return floorCount...(room < 0 ? 0 : (room + stride - 1) / stride + 1)
  }

  /// The number of windows in ceiling mode: the last may hang over the end, but it must start inside
  /// the operand or the padding before it.
  package var ceilingCount: Int {
    let room = extent + before + after - span
    guard room >= 0 else { return 0 }
    let count = (room + stride - 1) / stride + 1
    return (count - 1) * stride >= extent + before ? count - 1 : count
  }
}

/// A height and a width.
package struct Pair: Sendable, Hashable, Codable {
  /// Vertical.
  package var height: Int
  /// Horizontal.
  package var width: Int
  /// Height, then width.
  package init(_ height: Int, _ width: Int) {
    self.height = height
    self.width = width
  }
  /// Decodes `[height, width]`.
  package init(from decoder: any Decoder) throws {
    var container = try decoder.unkeyedContainer()
    self.init(try container.decode(Int.self), try container.decode(Int.self))
  }
  /// Encodes `[height, width]`.
  package func encode(to encoder: any Encoder) throws { try [height, width].encode(to: encoder) }
}

/// Cells added around an image.
package struct Padding: Sendable, Hashable, Codable {
  /// Rows above, columns left, rows below, columns right.
  package var top, left, bottom, right: Int
  /// ONNX order: top, left, bottom, right.
  package init(_ top: Int = 0, _ left: Int = 0, _ bottom: Int = 0, _ right: Int = 0) {
    self.top = top
    self.left = left
    self.bottom = bottom
    self.right = right
  }
  /// Decodes `[top, left, bottom, right]`.
  package init(from decoder: any Decoder) throws {
    var container = try decoder.unkeyedContainer()
    self.init(
      try container.decode(Int.self), try container.decode(Int.self),
      try container.decode(Int.self), try container.decode(Int.self))
  }
  /// Encodes `[top, left, bottom, right]`.
  package func encode(to encoder: any Encoder) throws {
    try [top, left, bottom, right].encode(to: encoder)
  }
}

extension Padding {
  /// The windows over the rows and the columns of an image.
  func axes(
    _ x: Shape, _ kernel: Pair, _ strides: Pair, _ dilations: Pair
  ) -> (vertical: WindowAxis, horizontal: WindowAxis) {
    axes(Pair(x[2], x[3]), kernel, strides, dilations)
  }

  /// The same for an image of some height and width.
  func axes(
    _ extents: Pair, _ kernel: Pair, _ strides: Pair, _ dilations: Pair
  ) -> (vertical: WindowAxis, horizontal: WindowAxis) {
    (
      WindowAxis(
        extent: extents.height, kernel: kernel.height, stride: strides.height,
        dilation: dilations.height,
        before: top, after: bottom),
      WindowAxis(
        extent: extents.width, kernel: kernel.width, stride: strides.width,
        dilation: dilations.width,
        before: left, after: right)
    )
  }
}
