import Foundations
package import ModelGraph
package import Tensors

/// Random convolutional networks made of the blocks that real ones are made of.
package struct RandomGraph {
  var builder: GraphBuilder
  var generator: SeededGenerator
  var current: ValueID
  private var count = 0

  init(seed: UInt64, height: Int = 10) {
    generator = SeededGenerator(seed)
    builder = GraphBuilder(name: "random-\(seed)")
    let channels = Int.random(in: 1...3, using: &generator)
    current = builder.addInput(name: "image", shape: [1, channels, height, 10])
  }

  /// A network of a few random blocks, ending in a classifier.
  package static func network(seed: UInt64) throws -> Graph {
    var graph = RandomGraph(seed: seed)
    try graph.convolve(channels: Int.random(in: 3...13, using: &graph.generator))
    for _ in 0..<Int.random(in: 2...6, using: &graph.generator) { try graph.block() }
    try graph.head()
    return graph.builder.graph
  }

  /// A network whose windows come in all heights, strides, dilations and paddings, over images of any
  /// height.
  package static func windows(seed: UInt64) throws -> Graph {
    var heights = SeededGenerator(seed &+ 77)
    var graph = RandomGraph(seed: seed, height: Int.random(in: 3...29, using: &heights))
    for _ in 0..<Int.random(in: 2...7, using: &graph.generator) {
      switch Int.random(in: 0...5, using: &graph.generator) {
      case 0...1: try graph.window()
      case 2: try graph.poolingWindow()
      default: try graph.block()
      }
    }
    try graph.head()
    return graph.builder.graph
  }

  /// A network with transposed convolutions, normalisations of images and groups, blocks that change
  /// places, choices and rarer activations among the blocks of the others.
  package static func layers(seed: UInt64) throws -> Graph {
    var graph = RandomGraph(seed: seed)
    try graph.convolve(channels: Int.random(in: 3...8, using: &graph.generator))
    for _ in 0..<Int.random(in: 2...5, using: &graph.generator) {
      if Int.random(in: 0...2, using: &graph.generator) == 0 {
        try graph.block()
      } else {
        try graph.layer()
      }
    }
    try graph.head()
    return graph.builder.graph
  }

  /// Convolutions, activations, pooling and dense layers in a row; nothing that joins values.
  package static func chain(seed: UInt64) throws -> Graph {
    var graph = RandomGraph(seed: seed)
    for _ in 0..<3 {
      try graph.convolve(channels: Int.random(in: 4...12, using: &graph.generator))
    }
    graph.current = try graph.add(
      .pooling(Pooling(kind: .maximum, kernel: Pair(2, 2), strides: Pair(2, 2))), [graph.current])
    try graph.convolve(channels: 8)
    try graph.flattenAndClassify(hidden: true)
    try graph.builder.addOutput(graph.current, name: "scores")
    return graph.builder.graph
  }

  /// Random elements for a graph's input.
  package static func input(of graph: Graph, seed: UInt64) -> Tensor {
    var generator = SeededGenerator(seed)
    let shape = graph[graph.inputs[0]].shape
    return Tensor(shape, (0..<shape.count).map { _ in Float.random(in: -1...1, using: &generator) })
  }

  // MARK: Pieces

  var shape: Shape { builder.graph[current].shape }

  mutating func weights(_ shape: Shape) -> ValueID {
    let scale = 1.5 / Float(max(1, shape.count / max(1, shape[0]))).squareRoot()
    let values = (0..<shape.count).map { _ in Float.random(in: -scale...scale, using: &generator) }
    count += 1
    return builder.add(constant: Tensor(shape, values), name: "w\(count)")
  }

  mutating func add(
    _ operation: Operation, _ inputs: [ValueID], shape: Shape? = nil
  ) throws -> ValueID {
    count += 1
    return try builder.add(operation, inputs, name: "\(operation.kind)\(count)", shape: shape)
  }

  private mutating func convolution(
    _ input: ValueID, channels: Int, kernel: Int = 3, groups: Int = 1,
    activation: Activation? = .relu
  ) throws -> ValueID {
    let from = builder.graph[input].shape[1]
    let pad = kernel / 2
    return try add(
      .convolution(
        Convolution(
          kernel: Pair(kernel, kernel), padding: Padding(pad, pad, pad, pad), groups: groups,
          activation: activation)),
      [input, weights([channels, from / groups, kernel, kernel]), weights([channels])])
  }

  private mutating func convolve(channels: Int) throws {
    current = try convolution(current, channels: channels)
  }

  /// Height, stride, dilation and padding of a window that fits; none of them lies in padding alone.
  mutating func vertical() -> (kernel: Int, stride: Int, dilation: Int, Int, Int) {
    let kernel = Int.random(in: 1...min(5, shape[2]), using: &generator)
    let dilation =
      kernel > 1 && (kernel - 1) * 2 < shape[2] && Bool.random(using: &generator) ? 2 : 1
    let span = (kernel - 1) * dilation + 1
    return (
      kernel, Int.random(in: 1...3, using: &generator), dilation,
      Int.random(in: 0..<span, using: &generator), Int.random(in: 0..<span, using: &generator)
    )
  }

  mutating func window() throws {
    let (kernel, stride, dilation, top, bottom) = vertical()
    let from = shape[1]
    let isDepthwise = from > 1 && Bool.random(using: &generator)
    let channels = isDepthwise ? from : Int.random(in: 2...9, using: &generator)
    current = try add(
      .convolution(
        Convolution(
          kernel: Pair(kernel, 3), strides: Pair(stride, 1), dilations: Pair(dilation, 1),
          padding: Padding(top, 1, bottom, 1), groups: isDepthwise ? from : 1, activation: .relu)),
      [current, weights([channels, isDepthwise ? 1 : from, kernel, 3]), weights([channels])])
  }

  private mutating func poolingWindow() throws {
    let (kernel, stride, dilation, top, bottom) = vertical()
    let isMaximum = Bool.random(using: &generator)
    let pooling = Pooling(
      kind: isMaximum ? .maximum : .average, kernel: Pair(kernel, 1), strides: Pair(stride, 1),
      dilations: Pair(isMaximum ? dilation : 1, 1),
      padding: isMaximum ? Padding(top, 0, bottom, 0) : Padding(min(top, kernel - 1), 0, 0, 0),
      countsPadding: Bool.random(using: &generator))
    let isCeiling = Bool.random(using: &generator)
    current = try add(
      .pooling(pooling), [current], shape: isCeiling ? try pooling.ceilingShape(shape) : nil)
  }

  mutating func block() throws {
    switch Int.random(in: 0...10, using: &generator) {
    case 0: try convolve(channels: Int.random(in: 2...14, using: &generator))
    case 1: try residual()
    case 2: try inverted()
    case 3: try grouped()
    case 4: try squeezeExcite()
    case 5: try branches()
    case 6: try shuffle()
    case 7: try normalise()
    case 8: try pool()
    case 9: try downsampling()
    default: try scaleByConstant()
    }
  }

  private mutating func layer() throws {
    switch Int.random(in: 0...7, using: &generator) {
    case 0...2: try transposedConvolution()
    case 3: try normaliseImages()
    case 4: try normaliseGroups()
    case 5: try moveBlocks()
    case 6: try choose()
    default: try activate()
    }
  }

  /// Of all channels, of groups, or of each channel by itself.
  private mutating func transposedConvolution() throws {
    let from = shape[1]
    let groups =
      [1, (2...4).first { from % $0 == 0 } ?? 1, from].randomElement(using: &generator) ?? 1
    let each = groups == from ? 1 : Int.random(in: 1...4, using: &generator)
    let spread = shape[2] > 10 ? 1 : Int.random(in: 1...2, using: &generator)
    let kernel = Int.random(in: 2...4, using: &generator)
    let padding = Padding(kernel / 2, kernel - 1, kernel / 2, kernel - 1)
    current = try add(
      .convolution(
        Convolution(
          kernel: Pair(kernel, kernel), padding: padding, groups: groups,
          activation: .elu(slope: 1),
          spread: Pair(spread, spread))),
      [current, weights([groups * each, from / groups, kernel, kernel]), weights([groups * each])])
  }

  private mutating func normaliseImages() throws {
    let channels = shape[1]
    let plain = try add(
      .layerNormalization(LayerNormalization(axes: [2, 3], epsilon: 0.1)), [current])
    current = try add(.channelAffine, [plain, weights([channels]), weights([channels])])
  }

  private mutating func normaliseGroups() throws {
    let image = shape
    let groups = (2...4).first { image[1] % $0 == 0 } ?? 1
    let split = try add(.reshape, [current], shape: [1, groups, image.count / groups])
    let plain = try add(
      .layerNormalization(LayerNormalization(axes: [2], epsilon: 0.1)), [split])
    current = try add(.reshape, [plain], shape: image)
    current = try add(.channelAffine, [current, weights([image[1]]), weights([image[1]])])
  }

  /// Blocks of 2 by 2 become channels; after a convolution channels become blocks.
  private mutating func moveBlocks() throws {
    let image = shape
    guard image[2] % 2 == 0, image[3] % 2 == 0 else { return }
    let (height, width) = (image[2] / 2, image[3] / 2)
    var blocks = try add(.reshape, [current], shape: [1, image[1], height, 2, width, 2])
    blocks = try add(.transpose(permutation: [0, 3, 5, 1, 2, 4]), [blocks])
    blocks = try add(.reshape, [blocks], shape: [1, image[1] * 4, height, width])
    blocks = try convolution(blocks, channels: 8, kernel: 1)
    blocks = try add(.reshape, [blocks], shape: [1, 2, 2, 2, height, width])
    blocks = try add(.transpose(permutation: [0, 1, 4, 2, 5, 3]), [blocks])
    current = try add(.reshape, [blocks], shape: [1, 2, image[2], image[3]])
  }

  /// Continuous where the condition changes, so that rounding makes no difference.
  private mutating func choose() throws {
    let channels = shape[1]
    let zero = builder.add(constant: Tensor([], [0 as Float]), name: "zero\(count)")
    let isNegative = try add(.binary(.less), [current, zero])
    let scaled = try add(.binary(.multiply), [current, weights([1, channels, 1, 1])])
    current = try add(.choice, [isNegative, scaled, current])
  }

  private mutating func activate() throws {
    let activations: [Activation] = [
      .elu(slope: 0.5), .selu(slope: 1.67, scale: 1.05), .celu(slope: 2), .softplus, .mish,
      .softsign,
    ]
    current = try add(
      .activation(activations.randomElement(using: &generator) ?? .mish), [current])
  }

  private mutating func residual() throws {
    let middle = try convolution(current, channels: shape[1])
    let end = try convolution(middle, channels: shape[1], activation: nil)
    let inputs = Bool.random(using: &generator) ? [end, current] : [current, end]
    current = try add(.activation(.relu), [try add(.binary(.add), inputs)])
  }

  /// Both sides of the addition are computed in this block.
  private mutating func downsampling() throws {
    let channels = Int.random(in: 2...9, using: &generator)
    let left = try convolution(current, channels: channels, activation: nil)
    let right = try convolution(current, channels: channels, kernel: 1, activation: nil)
    current = try add(.activation(.silu), [try add(.binary(.add), [left, right])])
  }

  private mutating func inverted() throws {
    let wide = try convolution(current, channels: shape[1] * 2, kernel: 1)
    let deep = try convolution(wide, channels: shape[1] * 2, groups: shape[1] * 2)
    let narrow = try convolution(deep, channels: shape[1], kernel: 1, activation: nil)
    current = try add(.binary(.add), [narrow, current])
  }

  private mutating func grouped() throws {
    let channels = shape[1]
    let groups = (2...4).first { channels % $0 == 0 } ?? 1
    current = try convolution(current, channels: groups * 3, groups: groups)
  }

  private mutating func squeezeExcite() throws {
    let wide = try convolution(current, channels: 6)
    let pooled = try add(
      .reduction(Reduction(kind: .mean, axes: [2, 3])), [wide], shape: [1, 6, 1, 1])
    let squeezed = try convolution(pooled, channels: 2, kernel: 1)
    let gate = try convolution(squeezed, channels: 6, kernel: 1, activation: .sigmoid)
    current = try add(.binary(.multiply), [wide, gate])
  }

  private mutating func branches() throws {
    let left = try convolution(current, channels: Int.random(in: 1...5, using: &generator))
    let pooled = try add(
      .pooling(
        Pooling(kind: .average, kernel: Pair(3, 3), padding: Padding(1, 1, 1, 1))), [current])
    let right = try convolution(pooled, channels: Int.random(in: 1...5, using: &generator))
    current = try add(.concatenation(axis: 1), [left, right, current])
  }

  /// A channel shuffle: reshape, transpose, reshape.
  private mutating func shuffle() throws {
    let channels = shape[1]
    let groups = (2...3).first { channels % $0 == 0 } ?? 1
    let (height, width) = (shape[2], shape[3])
    let split = try add(
      .reshape, [current], shape: [1, groups, channels / groups, height, width])
    let turned = try add(.transpose(permutation: [0, 2, 1, 3, 4]), [split])
    current = try add(.reshape, [turned], shape: [1, channels, height, width])
  }

  private mutating func normalise() throws {
    let channels = shape[1]
    current = try add(
      .layerNormalization(LayerNormalization(axes: [1], epsilon: 1e-5)),
      [current, weights([channels]), weights([channels])])
  }

  private mutating func pool() throws {
    guard shape[2] >= 4, shape[3] >= 2 else { return }
    current = try add(
      .pooling(Pooling(kind: .maximum, kernel: Pair(2, 2), strides: Pair(2, 2))), [current])
  }

  private mutating func scaleByConstant() throws {
    let channels = shape[1]
    current = try add(.binary(.multiply), [current, weights([1, channels, 1, 1])])
    current = try add(.channelAffine, [current, weights([channels]), weights([channels])])
  }

  mutating func head() throws {
    if Bool.random(using: &generator) {
      let channels = shape[1]
      let pooled = try add(
        .reduction(Reduction(kind: .mean, axes: [2, 3])), [current], shape: [1, channels])
      current = pooled
      try classify()
    } else {
      try flattenAndClassify(hidden: Bool.random(using: &generator))
    }
    if Bool.random(using: &generator) {
      current = try add(.softmax(axis: 1, logarithmic: false), [current])
    }
    try builder.addOutput(current, name: "scores")
  }

  private mutating func flattenAndClassify(hidden: Bool) throws {
    let units = shape.count
    current = try add(.reshape, [current], shape: [1, units])
    if hidden {
      current = try add(
        .dense(Dense(activation: .relu)), [current, weights([11, units]), weights([11])])
    }
    try classify()
  }

  private mutating func classify() throws {
    let units = shape[1]
    current = try add(.dense(Dense()), [current, weights([7, units]), weights([7])])
  }
}
