import Foundations
import ModelGraph
import Tensors

/// The window attributes of convolutions and pooling. One-dimensional windows become images of
/// height 1.
private struct Window {
  var kernel, strides, dilations: Pair
  var padding: Padding
  let isOneDimensional: Bool

  init(_ node: NodeReader, x: Shape, kernel given: [Int]?) throws(MartletError) {
    let spatial = x.rank - 2
    guard spatial == 1 || spatial == 2 else {
      throw MartletError(
        .unsupported, "only windows over one or two dimensions are supported",
        context: ["operand": "\(x)"])
    }
    isOneDimensional = spatial == 1
    func pair(_ name: String, _ value: [Int]?) throws(MartletError) -> Pair {
      let value = value ?? [Int](repeating: 1, count: spatial)
      guard value.count == spatial, value.allSatisfy({ (1...1 << 24).contains($0) }) else {
        throw MartletError(
          .invalidFile, "an attribute of a window is wrong", context: [name: "\(value)"])
      }
      return spatial == 1 ? Pair(1, value[0]) : Pair(value[0], value[1])
    }
    guard let kernel = try node.integers("kernel_shape") ?? given else {
      throw MartletError(.invalidFile, "the attribute kernel_shape is missing")
    }
    self.kernel = try pair("kernel_shape", kernel)
    strides = try pair("strides", try node.integers("strides"))
    dilations = try pair("dilations", try node.integers("dilations"))
    padding = try Window.padding(node, x, self.kernel, strides, dilations)
  }

  private static func padding(
    _ node: NodeReader, _ x: Shape, _ kernel: Pair, _ strides: Pair, _ dilations: Pair
  ) throws(MartletError) -> Padding {
    let spatial = x.rank - 2
    let mode = try node.text("auto_pad", default: "NOTSET")
    switch mode {
    case "NOTSET", "":
      let pads = try node.integers("pads") ?? [Int](repeating: 0, count: 2 * spatial)
      guard pads.count == 2 * spatial, pads.allSatisfy({ (0...1 << 24).contains($0) }) else {
        throw MartletError(
          .unsupported, "the padding must be a non-negative number for each side",
          context: ["pads": "\(pads)"])
      }
      return spatial == 1
        ? Padding(0, pads[0], 0, pads[1]) : Padding(pads[0], pads[1], pads[2], pads[3])
    case "VALID":
      return Padding()
    case "SAME_UPPER", "SAME_LOWER":
      func sides(_ extent: Int, _ kernel: Int, _ stride: Int, _ dilation: Int) -> (Int, Int) {
        let windows = (extent + stride - 1) / stride
        let total = max((windows - 1) * stride + (kernel - 1) * dilation + 1 - extent, 0)
        let less = total / 2
        return mode == "SAME_UPPER" ? (less, total - less) : (total - less, less)
      }
      let (top, bottom) =
        spatial == 1 ? (0, 0) : sides(x[2], kernel.height, strides.height, dilations.height)
      let (left, right) = sides(x[x.rank - 1], kernel.width, strides.width, dilations.width)
      return Padding(top, left, bottom, right)
    default:
      throw MartletError(
        .unsupported, "this kind of automatic padding is not known", context: ["auto_pad": mode])
    }
  }

  /// An operand with its last axis as the width of an image of height 1.
  func image(
    _ lowering: inout Lowering, _ id: ValueID, _ node: NodeReader, _ suffix: String
  ) throws(MartletError) -> ValueID {
    guard isOneDimensional else { return id }
    var extents = lowering.shape(id).dimensions
    extents.insert(1, at: 2)
    return try lowering.reshape(id, extents, node, suffix)
  }

  /// The result without the height that `image` added.
  func signal(
    _ lowering: inout Lowering, _ id: ValueID, _ node: NodeReader
  ) throws(MartletError) -> ValueID {
    guard isOneDimensional else { return id }
    var extents = lowering.shape(id).dimensions
    extents.remove(at: 2)
    return try lowering.reshape(id, extents, node, "signal")
  }
}

extension Operators {
  static let windows: [String: Rule] = [
    "Conv": convolution,
    "MaxPool": { (lowering, node) throws(MartletError) in
      try pooling(&lowering, node, .maximum)
    },
    "AveragePool": { (lowering, node) throws(MartletError) in
      try pooling(&lowering, node, .average)
    },
  ]

  static func convolution(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let weights = try node.input(1)
    _ = try lowering.constant(weights, "the weights of a convolution")
    guard lowering.shape(weights).rank == lowering.shape(x).rank else {
      throw MartletError(
        .invalidShape, "the weights do not fit the operand",
        context: ["shapes": "\(lowering.shape(x)), \(lowering.shape(weights))"])
    }
    let window = try Window(
      node, x: lowering.shape(x), kernel: Array(lowering.shape(weights).dimensions.dropFirst(2)))
    var inputs = [
      try window.image(&lowering, x, node, "image"),
      try window.image(&lowering, weights, node, "weights"),
    ]
    if let bias = node.optionalInput(2) { inputs.append(bias) }
    let convolution = Convolution(
      kernel: window.kernel, strides: window.strides, dilations: window.dilations,
      padding: window.padding, groups: try node.integer("group", default: 1))
    let result = try lowering.add(.convolution(convolution), inputs, node)
    return [try window.signal(&lowering, result, node)]
  }

  static func pooling(
    _ lowering: inout Lowering, _ node: NodeReader, _ kind: Pooling.Kind
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let window = try Window(node, x: lowering.shape(x), kernel: nil)
    let image = try window.image(&lowering, x, node, "image")
    let pooling = Pooling(
      kind: kind, kernel: window.kernel, strides: window.strides, dilations: window.dilations,
      padding: window.padding,
      countsPadding: try node.integer("count_include_pad", default: 0) != 0)
    var shape: Shape?
    if try node.integer("ceil_mode", default: 0) != 0 {
      shape = try pooling.ceilingShape(lowering.shape(image))
    }
    let result = try lowering.add(.pooling(pooling), [image], node, shape: shape)
    return [try window.signal(&lowering, result, node)]
  }
}
