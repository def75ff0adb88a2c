import Foundations
import ModelGraph
import Tensors

extension ShapeCheck {
  func check(_ convolution: Convolution) throws(MartletError) {
    try operands(2...3)
    let x = inputs[0]
    let w = inputs[1]
    try require(x.rank == 4 && w.rank == 4 && output.rank == 4)
    let kernel = convolution.kernel
    let groups = convolution.groups
    // A device that owns nothing of a depthwise layer has no groups.
    try bounded(groups, (w[0] == 0 ? 0 : 1)...Self.limit)
    try require(w[2] == kernel.height && w[3] == kernel.width)
    try require(x[1] == w[1] * groups || (groups == 0 && x[1] == 0))
    try require(output[0] == x[0] && output[1] == w[0])
    if let outputs = convolution.groupOutputs {
      try require(
        outputs.count == groups && outputs.allSatisfy { $0 >= 0 && $0 <= w[0] }
          && outputs.reduce(0, +) == w[0], "the outputs of the groups do not add up")
    } else if groups > 0 {
      try require(w[0] % groups == 0, "the outputs cannot be divided among the groups")
    }
    if inputs.count == 3 { try require(inputs[2].count == w[0]) }
    let padding = convolution.padding
    try checkWindow(
      input: x[2], output: output[2], kernel: kernel.height, stride: convolution.strides.height,
      dilation: convolution.dilations.height, before: padding.top, after: padding.bottom,
      ceiling: false)
    try checkWindow(
      input: x[3], output: output[3], kernel: kernel.width, stride: convolution.strides.width,
      dilation: convolution.dilations.width, before: padding.left, after: padding.right,
      ceiling: false)
  }

  func check(_ pooling: Pooling) throws(MartletError) {
    try operands(1...1)
    let x = inputs[0]
    try require(x.rank == 4 && output.rank == 4)
    try require(output[0] == x[0] && output[1] == x[1])
    let padding = pooling.padding
    try checkWindow(
      input: x[2], output: output[2], kernel: pooling.kernel.height,
      stride: pooling.strides.height, dilation: pooling.dilations.height, before: padding.top,
      after: padding.bottom, ceiling: true)
    try checkWindow(
      input: x[3], output: output[3], kernel: pooling.kernel.width,
      stride: pooling.strides.width, dilation: pooling.dilations.width, before: padding.left,
      after: padding.right, ceiling: true)
  }

  /// One axis of a sliding window; with `ceiling` the last window may reach beyond the padding.
  private func checkWindow(
    input: Int, output: Int, kernel: Int, stride: Int, dilation: Int, before: Int, after: Int,
    ceiling: Bool
  ) throws(MartletError) {
    for attribute in [kernel, stride, dilation] { try bounded(attribute, 1...(1 << 20)) }
    for attribute in [before, after] { try bounded(attribute, 0...(1 << 20)) }
    let room = input + before + after - (kernel - 1) * dilation - 1
    if ceiling {
      let most = room < 0 ? 0 : (room + stride - 1) / stride + 1
      let least = room < 0 ? 0 : room / stride + 1
      try require((least...most).contains(output), "the window does not give this result")
    } else {
      try require(
        output == (room < 0 ? 0 : room / stride + 1), "the window does not give this result")
    }
  }

  func checkDense() throws(MartletError) {
    try operands(2...3)
    let x = inputs[0]
    let w = inputs[1]
    try require(x.rank >= 1 && w.rank == 2)
    try require(x[x.rank - 1] == w[1])
    try same(x.replacing(axis: x.rank - 1, with: w[0]))
    if inputs.count == 3 { try require(inputs[2].count == w[0]) }
  }

  func checkMatMul() throws(MartletError) {
    try operands(2...2)
    let a = inputs[0]
    let b = inputs[1]
    try require(a.rank >= 2 && b.rank >= 2)
    try require(a[a.rank - 1] == b[b.rank - 2])
    guard
      let batch = try? Shape.broadcast(
        Shape(Array(a.dimensions.dropLast(2))), Shape(Array(b.dimensions.dropLast(2))))
    else {
      try require(false)
      return
    }
    try require(output.dimensions == batch.dimensions + [a[a.rank - 2], b[b.rank - 1]])
  }
}
