import Foundations
import ModelGraph
import Tensors

// Normalisations other than those over channels or fixed statistics.
extension Operators {
  static let groupNormalisations: [String: Rule] = [
    "InstanceNormalization": instanceNormalisation, "GroupNormalization": groupNormalisation,
    "LpNormalization": lpNormalisation, "LRN": localResponseNormalisation,
    "RMSNormalization": rootMeanSquareNormalisation,
    "MeanVarianceNormalization": meanVarianceNormalisation,
  ]

  /// A channel's own mean and variance over its image, then scale and shift: channels stay apart.
  private static func instanceNormalisation(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let shape = lowering.shape(x)
    guard shape.rank >= 3 else {
      throw MartletError(.invalidShape, "the operand is no image", context: ["operand": "\(shape)"])
    }
    let normalisation = LayerNormalization(
      axes: Array(2..<shape.rank), epsilon: try finite(node, "epsilon", default: 1e-5))
    let plain = try lowering.add(.layerNormalization(normalisation), [x], node, "plain")
    return [try scaled(&lowering, node, plain, try node.input(1), try node.input(2))]
  }

  /// x * scale + shift by channels, also where they are computed.
  private static func scaled(
    _ lowering: inout Lowering, _ node: NodeReader, _ x: ValueID, _ scale: ValueID, _ shift: ValueID
  ) throws(MartletError) -> ValueID {
    guard [scale, shift].contains(where: { lowering.builder.graph.constants[$0] == nil }) else {
      return try lowering.add(.channelAffine, [x, scale, shift], node)
    }
    let shape = lowering.shape(x)
    let extents = [shape[1]] + [Int](repeating: 1, count: shape.rank - 2)
    let factor = try lowering.reshape(scale, extents, node, "scale")
    let product = try lowering.add(.binary(.multiply), [x, factor], node, "product")
    let addend = try lowering.reshape(shift, extents, node, "shift")
    return try lowering.add(.binary(.add), [product, addend], node)
  }

  private static func groupNormalisation(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let shape = lowering.shape(x)
    let groups = try node.integer("num_groups", default: 0)
    guard shape.rank >= 2, groups >= 1, shape[1] >= groups, shape[1] % groups == 0 else {
      throw MartletError(
        .invalidShape, "the groups do not fit the operand's channels",
        context: ["num_groups": "\(groups)", "operand": "\(shape)"])
    }
    var inputs: [ValueID] = []
    for (index, what) in [(1, "scale"), (2, "bias")] {
      var id = try node.input(index)
      let count = lowering.shape(id).count
      guard lowering.shape(id).rank == 1, count == shape[1] || count == groups else {
        throw MartletError(
          .invalidShape, "the \(what) must be one number per channel or group",
          context: ["shape": "\(lowering.shape(id))", "operand": "\(shape)"])
      }
      if count != shape[1] {
        // Before version 21 there is one for each group.
        let indices = (0..<shape[1]).map { $0 / (shape[1] / groups) }
        id = try lowering.add(.selection(axis: 0, indices: indices), [id], node, what)
      }
      inputs.append(id)
    }
    let size = shape.innerCount(after: 1)
    let grouped = try lowering.reshape(
      x, [shape[0], groups, shape[1] / groups * size], node, "groups")
    let normalisation = LayerNormalization(
      axes: [2], epsilon: try finite(node, "epsilon", default: 1e-5))
    let plain = try lowering.add(.layerNormalization(normalisation), [grouped], node, "plain")
    let image = try lowering.reshape(plain, shape.dimensions, node, "image")
    return [try scaled(&lowering, node, image, inputs[0], inputs[1])]
  }

  /// x / norm; what is 0 stays 0.
  private static func lpNormalisation(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let shape = lowering.shape(x)
    let axis = try lowering.axis(try node.integer("axis", default: -1), rank: shape.rank)
    let sum = Operation.reduction(Reduction(kind: .sum, axes: [axis]))
    var norm: ValueID
    switch try node.integer("p", default: 2) {
    case 1:
      let size = try lowering.add(.unary(.absolute), [x], node, "size")
      norm = try lowering.add(sum, [size], node, "norm")
    case 2:
      let squares = try lowering.add(.binary(.multiply), [x, x], node, "squares")
      let total = try lowering.add(sum, [squares], node, "sum")
      norm = try lowering.add(.unary(.squareRoot), [total], node, "norm")
    case let p:
      throw MartletError(.unsupported, "this norm is not known", context: ["p": "\(p)"])
    }
    let least = lowering.constant(Tensor([], [Float.leastNormalMagnitude]), node, "least")
    norm = try lowering.add(.binary(.maximum), [norm, least], node, "divisor")
    return [try lowering.add(.binary(.divide), [x, norm], node)]
  }

  /// x / (bias + alpha times the mean of the squares of some channels around)^beta: the mean is that of
  /// average pooling over the channels.
  private static func localResponseNormalisation(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let shape = lowering.shape(x)
    let size = try node.integer("size", default: 0)
    guard shape.rank >= 3, (1...1 << 16).contains(size) else {
      throw MartletError(
        .invalidShape, "the number of channels does not fit the operand",
        context: ["size": "\(size)", "operand": "\(shape)"])
    }
    func number(_ value: Float, _ name: String) -> ValueID {
      lowering.constant(Tensor([], [value]), node, name)
    }
    let squares = try lowering.add(.binary(.multiply), [x, x], node, "squares")
    let planes = try lowering.reshape(
      squares, [shape[0], 1, shape[1], shape.innerCount(after: 1)], node, "planes")
    let pooling = Pooling(
      kind: .average, kernel: Pair(size, 1), padding: Padding((size - 1) / 2, 0, size / 2, 0),
      countsPadding: true)
    let pooled = try lowering.add(.pooling(pooling), [planes], node, "mean")
    let mean = try lowering.reshape(pooled, shape.dimensions, node, "image")
    let alpha = number(try finite(node, "alpha", default: 1e-4), "alpha")
    let scaled = try lowering.add(.binary(.multiply), [mean, alpha], node, "scaled")
    let bias = number(try finite(node, "bias", default: 1), "bias")
    let base = try lowering.add(.binary(.add), [scaled, bias], node, "base")
    let beta = number(try finite(node, "beta", default: 0.75), "beta")
    let divisor = try lowering.add(.binary(.power), [base, beta], node, "divisor")
    return [try lowering.add(.binary(.divide), [x, divisor], node)]
  }

  private static func rootMeanSquareNormalisation(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let shape = lowering.shape(x)
    let first = try lowering.axis(try node.integer("axis", default: -1), rank: shape.rank)
    let squares = try lowering.add(.binary(.multiply), [x, x], node, "squares")
    let mean = try lowering.add(
      .reduction(Reduction(kind: .mean, axes: Array(first..<shape.rank))), [squares], node, "mean")
    let epsilon = lowering.constant(
      Tensor([], [try finite(node, "epsilon", default: 1e-5)]), node, "epsilon")
    let sum = try lowering.add(.binary(.add), [mean, epsilon], node, "sum")
    let root = try lowering.add(.unary(.squareRoot), [sum], node, "root")
    let plain = try lowering.add(.binary(.divide), [x, root], node, "plain")
    let scale = try node.input(1)
    guard try Shape.broadcast(shape, lowering.shape(scale)) == shape else {
      throw MartletError(
        .invalidShape, "the scale does not fit the operand",
        context: ["scale": "\(lowering.shape(scale))", "operand": "\(shape)"])
    }
    return [try lowering.add(.binary(.multiply), [plain, scale], node)]
  }

  /// (x - mean) / (standard deviation + 1e-9), as ONNX has it.
  private static func meanVarianceNormalisation(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let rank = lowering.shape(x).rank
    let axes = try lowering.axes(try node.integers("axes") ?? [0, 2, 3], rank: rank)
    guard !axes.isEmpty else { throw MartletError(.invalidFile, "the axes are missing") }
    let mean = Operation.reduction(Reduction(kind: .mean, axes: axes))
    let centre = try lowering.add(mean, [x], node, "mean")
    let centred = try lowering.add(.binary(.subtract), [x, centre], node, "centred")
    let squares = try lowering.add(.binary(.multiply), [centred, centred], node, "squares")
    let variance = try lowering.add(mean, [squares], node, "variance")
    let deviation = try lowering.add(.unary(.squareRoot), [variance], node, "deviation")
    let least = lowering.constant(Tensor([], [Float(1e-9)]), node, "least")
    let divisor = try lowering.add(.binary(.add), [deviation, least], node, "divisor")
    return [try lowering.add(.binary(.divide), [centred, divisor], node)]
  }
}
