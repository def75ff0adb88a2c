import Foundations
import ModelGraph
import Tensors

// Transposed convolution, as a convolution over a spread operand: see `Convolution`.
extension Operators {
  static let transposedWindows: [String: Rule] = ["ConvTranspose": transposedConvolution]

  /// The most elements of a result.
  private static let maximumTransposedCount = 1 << 28

  static func transposedConvolution(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let shape = lowering.shape(x)
    guard shape.rank == 3 || shape.rank == 4 else {
      throw MartletError(
        .unsupported, "only windows over one or two dimensions are supported",
        context: ["operand": "\(shape)"])
    }
    let given = try lowering.constant(
      try node.input(1), "the weights of a transposed convolution")
    let groups = try node.integer("group", default: 1)
    guard given.shape.rank == shape.rank, let values = given.floats, groups >= 1,
      given.shape[0] == shape[1], shape[1] > 0, shape[1] % groups == 0,
      given.shape[1] <= 1 << 24, groups <= 1 << 24
    else {
      throw MartletError(
        .invalidShape, "the weights do not fit the operand",
        context: ["shapes": "\(shape), \(given.shape)", "group": "\(groups)"])
    }
    // Of one dimension, an image of height 1.
    let isOneDimensional = shape.rank == 3
    func image(_ extents: [Int]) -> [Int] {
      isOneDimensional ? [extents[0], extents[1], 1, extents[2]] : extents
    }
    let axes = try TransposedAxis.all(
      node, extents: Array(shape.dimensions.dropFirst(2)),
      kernel: Array(given.shape.dimensions.dropFirst(2)))
    let rows = isOneDimensional ? TransposedAxis(extent: 1, kernel: 1) : axes[0]
    let columns = axes[axes.count - 1]
    let results = (isOneDimensional ? [rows, columns] : axes).map { max($0.result, 0) }
    let result = try Shape(checking: [shape[0], given.shape[1] * groups] + results)
    guard result.count <= maximumTransposedCount else {
      throw MartletError(
        .invalidShape, "a transposed convolution to too many elements",
        context: ["operand": "\(shape)", "result": "\(result)"])
    }
    try lowering.builder.charge(2 * values.count)
    let weights = turned(values, Shape(image(given.shape.dimensions)), groups: groups)
    var inputs = [
      try lowering.reshape(x, image(shape.dimensions), node, "image"),
      lowering.constant(weights, node, "weights"),
    ]
    if let bias = node.optionalInput(2) {
      _ = try lowering.constant(bias, "the bias of a transposed convolution")
      inputs.append(bias)
    }
    let spread = Pair(rows.stride, columns.stride)
    let convolution = Convolution(
      kernel: Pair(rows.kernel, columns.kernel), dilations: Pair(rows.dilation, columns.dilation),
      padding: Padding(
        max(rows.before, 0), max(columns.before, 0), max(rows.after, 0), max(columns.after, 0)),
      groups: groups, spread: spread == Pair(1, 1) ? nil : spread)
    var output = try lowering.add(.convolution(convolution), inputs, node)
    // Padding beyond the window takes away from the result.
    let cut = [rows, columns].map { (max(-$0.before, 0), max(-$0.after, 0)) }
    if cut.contains(where: { $0 != (0, 0) }) {
      let before = [0, 0] + cut.map { -$0.0 }
      let after = [0, 0] + cut.map { -$0.1 }
      output = try lowering.add(.pad(before: before, after: after, value: 0), [output], node, "cut")
    }
    guard isOneDimensional else { return [output] }
    let extents = lowering.shape(output).dimensions
    return [try lowering.reshape(output, [extents[0], extents[1], extents[3]], node, "signal")]
  }

  /// Output channels first, of each group those of its inputs, and each kernel turned by half a turn.
  private static func turned(_ values: [Float], _ shape: Shape, groups: Int) -> Tensor {
    let (outputs, depth) = (shape[1], shape[0] / groups)
    let area = shape[2] * shape[3]
    var result: [Float] = []
    result.reserveCapacity(values.count)
    for group in 0..<groups {
      for output in 0..<outputs {
        for input in group * depth..<(group + 1) * depth {
          let start = (input * outputs + output) * area
          result += values[start..<start + area].reversed()
        }
      }
    }
    return Tensor([groups * outputs, depth, shape[2], shape[3]], result)
  }
}

/// The window of a transposed convolution along one axis.
private struct TransposedAxis {
  var extent: Int
  var kernel: Int
  var stride = 1
  var dilation = 1
  /// Padding of the spread operand, or less than none.
  var before = 0
  var after = 0

  /// An axis along which nothing happens.
  init(extent: Int, kernel: Int) {
    self.extent = extent
    self.kernel = kernel
  }

  /// The extent of the result.
  var result: Int {
    (extent - 1) * stride + before + after - (kernel - 1) * dilation + 1
  }

  /// By axis, from the attributes of a node.
  static func all(
    _ node: NodeReader, extents: [Int], kernel: [Int]
  ) throws(MartletError) -> [TransposedAxis] {
    func list(
      _ name: String, _ default: Int, _ allowed: ClosedRange<Int>, count: Int? = nil
    ) throws(MartletError) -> [Int] {
      let values =
        try node.integers(name) ?? [Int](repeating: `default`, count: count ?? extents.count)
      guard values.count == count ?? extents.count, values.allSatisfy({ allowed.contains($0) })
      else {
        throw MartletError(
          .invalidFile, "an attribute of a window is wrong",
          context: [name: "\(values.prefix(16))"])
      }
      return values
    }
    let limit = 1 << 20
    guard try list("kernel_shape", 1, 1...limit) == kernel || !node.has("kernel_shape"),
      kernel.allSatisfy({ (1...limit).contains($0) }),
      extents.allSatisfy({ (1...1 << 24).contains($0) })
    else {
      throw MartletError(
        .invalidShape, "the kernel does not fit the weights or the operand",
        context: ["kernel": "\(kernel)", "operand": "\(extents)"])
    }
    let strides = try list("strides", 1, 1...limit)
    let dilations = try list("dilations", 1, 1...limit)
    let added = try list("output_padding", 0, 0...limit)
    let pads = try list("pads", 0, 0...limit, count: 2 * extents.count)
    let mode = try node.text("auto_pad", default: "NOTSET")
    guard ["", "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"].contains(mode) else {
      throw MartletError(
        .unsupported, "this kind of automatic padding is not known", context: ["auto_pad": mode])
    }
    // The shape of the whole result is also accepted.
    let wanted = try node.integers("output_shape").map { Array($0.suffix(extents.count)) }
    guard wanted?.count ?? extents.count == extents.count,
      wanted?.allSatisfy({ (1...1 << 28).contains($0) }) ?? true
    else {
      throw MartletError(
        .invalidShape, "the shape of the result is impossible",
        context: ["output_shape": "\(wanted ?? [])"])
    }
    return extents.indices.map { axis in
      var result = TransposedAxis(extent: extents[axis], kernel: kernel[axis])
      result.stride = strides[axis]
      result.dilation = dilations[axis]
      let reach = (kernel[axis] - 1) * dilations[axis]
      let whole = (extents[axis] - 1) * strides[axis] + reach + 1
      var head = pads[axis]
      var tail = pads[axis + extents.count] - added[axis]
      let same = mode.hasPrefix("SAME") ? extents[axis] * strides[axis] : nil
      if let extent = wanted?[axis] ?? same {
        // Which side gets the odd cell, and that nothing is cut off where the result is larger, is as
        // ONNX says.
        let total = max(whole + added[axis] - extent, 0)
        head = mode == "SAME_UPPER" ? total / 2 : total - total / 2
        tail = wanted == nil ? total - head - added[axis] : whole - head - extent
      } else if mode == "VALID" {
        (head, tail) = (0, -added[axis])
      }
      result.before = reach - head
      result.after = reach - tail
      return result
    }
  }
}
