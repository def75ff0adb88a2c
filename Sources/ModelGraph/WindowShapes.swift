package import Foundations
package import Tensors

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

  /// Cells from the first to the last tap of one window.
  package var span: Int { (kernel - 1) * dilation + 1 }

  /// The number of windows that fit entirely into the padded operand.
  package var floorCount: Int {
    let room = extent + before + after - span
    return room < 0 ? 0 : room / stride + 1
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

extension Convolution {
  func outputShape(_ inputs: [Shape], of operation: Operation) throws(MartletError) -> Shape {
    let (x, weights) = (inputs[0], inputs[1])
    guard x.rank == 4, weights.rank == 4, groups >= 1, groups <= x[1], x[1] % groups == 0,
      weights[1] == x[1] / groups, Pair(weights[2], weights[3]) == kernel
    else { throw operation.mismatch("weights do not fit the operand", inputs) }
    if let groupOutputs {
      guard groupOutputs.count == groups,
        groupOutputs.allSatisfy({ $0 >= 0 && $0 <= weights[0] }),
        groupOutputs.reduce(0, +) == weights[0]
      else { throw operation.mismatch("outputs of groups do not sum to the channels", inputs) }
    } else if weights[0] % groups != 0 {
      throw operation.mismatch("output channels are no multiple of groups", inputs)
    }
    guard inputs.count < 3 || inputs[2] == [weights[0]] else {
      throw operation.mismatch("the bias does not fit the weights", inputs)
    }
    let (vertical, horizontal) = padding.axes(x, kernel, strides, dilations)
    guard vertical.isValid, horizontal.isValid, vertical.floorCount > 0, horizontal.floorCount > 0
    else { throw operation.mismatch("the kernel does not fit into the padded operand", inputs) }
    return try Shape(
      checking: [x[0], weights[0], vertical.floorCount, horizontal.floorCount])
  }
}

extension Pooling {
  /// The result's shape in ceiling mode, where the last window may hang over the end.
  ///
  /// - Throws: `.invalidShape` when the operand is no image or the window does not fit.
  package func ceilingShape(_ x: Shape) throws(MartletError) -> Shape {
    guard x.rank == 4 else {
      throw MartletError(.invalidShape, "the operand is no image", context: ["operand": "\(x)"])
    }
    let (vertical, horizontal) = padding.axes(x, kernel, strides, dilations)
    guard vertical.isValid, horizontal.isValid else {
      throw MartletError(.invalidShape, "the window is too large", context: ["operand": "\(x)"])
    }
    return try Shape(
      checking: [x[0], x[1], vertical.ceilingCount, horizontal.ceilingCount])
  }

  func outputShape(
    _ x: Shape, declared: Shape?, of operation: Operation
  ) throws(MartletError) -> Shape {
    guard x.rank == 4 else { throw operation.mismatch("the operand is no image", [x]) }
    let (vertical, horizontal) = padding.axes(x, kernel, strides, dilations)
    guard vertical.isValid, horizontal.isValid, vertical.floorCount > 0, horizontal.floorCount > 0
    else { throw operation.mismatch("the window does not fit into the padded operand", [x]) }
    func chosen(_ axis: WindowAxis, _ position: Int) -> Int {
      guard let declared, declared.rank == 4, declared[position] == axis.ceilingCount else {
        return axis.floorCount
      }
      return axis.ceilingCount
    }
    return try Shape(checking: [x[0], x[1], chosen(vertical, 2), chosen(horizontal, 3)])
  }
}

extension Padding {
  func axes(
    _ x: Shape, _ kernel: Pair, _ strides: Pair, _ dilations: Pair
  ) -> (vertical: WindowAxis, horizontal: WindowAxis) {
    (
      WindowAxis(
        extent: x[2], kernel: kernel.height, stride: strides.height, dilation: dilations.height,
        before: top, after: bottom),
      WindowAxis(
        extent: x[3], kernel: kernel.width, stride: strides.width, dilation: dilations.width,
        before: left, after: right)
    )
  }
}
