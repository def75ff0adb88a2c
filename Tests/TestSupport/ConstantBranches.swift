import Foundations
package import ModelGraph
import Tensors

/// Random networks in which much follows from constants alone: data operands of products, weights that
/// are computed, scales, outputs.
package struct ConstantBranches {
  private var builder: GraphBuilder
  private var generator: SeededGenerator
  private var current: ValueID
  private var count = 0
  private let shape: Shape

  private init(seed: UInt64) {
    generator = SeededGenerator(seed)
    builder = GraphBuilder(name: "constants-\(seed)")
    shape = [1, Int.random(in: 2...6, using: &generator), 8, 6]
    current = builder.addInput(name: "image", shape: shape)
  }

  /// A network of a few random steps, with scores and perhaps other outputs.
  package static func network(seed: UInt64) throws -> Graph {
    var network = ConstantBranches(seed: seed)
    for _ in 0..<Int.random(in: 2...6, using: &network.generator) { try network.step() }
    try network.head()
    return network.builder.graph
  }

  private var channels: Int { shape[1] }

  private mutating func constant(_ shape: Shape) -> ValueID {
    let scale = 1.5 / Float(max(1, shape.count / max(1, shape.dimensions.first ?? 1))).squareRoot()
    count += 1
    return builder.add(
      constant: Tensor(
        shape, (0..<shape.count).map { _ in Float.random(in: -scale...scale, using: &generator) }),
      name: "w\(count)")
  }

  private mutating func add(
    _ operation: Operation, _ inputs: [ValueID], shape: Shape? = nil
  ) throws -> ValueID {
    count += 1
    return try builder.add(operation, inputs, name: "\(operation.kind)\(count)", shape: shape)
  }

  private mutating func convolution(
    _ input: ValueID, weights: ValueID? = nil, groups: Int = 1, activation: Activation? = .relu
  ) throws -> ValueID {
    let from = builder.graph[input].shape[1]
    let filters = weights ?? constant([channels, from / groups, 3, 3])
    return try add(
      .convolution(
        Convolution(
          kernel: Pair(3, 3), padding: Padding(1, 1, 1, 1), groups: groups, activation: activation)),
      [input, filters, constant([channels])])
  }

  /// Something of the shape of the image that no input reaches. The builder folds none of it but the
  /// constant itself.
  private mutating func branch() throws -> ValueID {
    let image = constant(shape)
    switch Int.random(in: 0...4, using: &generator) {
    case 0: return image
    case 1: return try convolution(image)
    case 2:
      let wide = try convolution(try convolution(image), activation: nil)
      return try add(.softmax(axis: 1, logarithmic: false), [wide])
    case 3: return try add(.channelAffine, [image, constant([channels]), constant([channels])])
    default:
      let pooling = Pooling(kind: .maximum, kernel: Pair(3, 3), padding: Padding(1, 1, 1, 1))
      return try add(.pooling(pooling), [try convolution(image)])
    }
  }

  private mutating func step() throws {
    switch Int.random(in: 0...8, using: &generator) {
    case 0: current = try convolution(current)
    case 1:
      let function = [BinaryFunction.add, .multiply, .maximum].randomElement(using: &generator)
      let other = try branch()
      let operands = Bool.random(using: &generator) ? [current, other] : [other, current]
      current = try add(.binary(function ?? .add), operands)
    case 2:
      current = try convolution(
        try add(.concatenation(axis: 1), [current, try branch()]))
    case 3:
      // A constant matrix on the left.
      current = try add(.matMul, [constant([shape[2], shape[2]]), current])
    case 4:
      let weights = try add(
        .softmax(axis: 1, logarithmic: false), [constant([shape[3], shape[3]])])
      current = try add(.dense(Dense(activation: .relu)), [current, weights])
    case 5:
      let weights = try add(
        .channelAffine,
        [constant([channels, channels, 3, 3]), constant([channels]), constant([channels])])
      current = try convolution(current, weights: weights)
    case 6:
      let scale = try add(.softmax(axis: 0, logarithmic: false), [constant([channels])])
      current = try add(
        .layerNormalization(LayerNormalization(axes: [1], epsilon: 1e-3)),
        [current, scale, constant([channels])])
    case 7:
      let pooled = try add(
        .pooling(Pooling(kind: .average, kernel: Pair(shape[2], shape[3]))), [try branch()])
      let gate = try add(
        .convolution(Convolution(kernel: Pair(1, 1), activation: .sigmoid)),
        [pooled, constant([channels, channels, 1, 1])])
      current = try add(.binary(.multiply), [gate, current])
    default: current = try convolution(current, groups: channels)
    }
  }

  /// x w + c v, and outputs that no input reaches.
  private mutating func head() throws {
    let units = shape.count
    let flat = try add(.reshape, [current], shape: [1, units])
    let scores = try add(.dense(Dense()), [flat, constant([5, units]), constant([5])])
    let bias = try add(.dense(Dense()), [constant([1, 7]), constant([5, 7])])
    try builder.addOutput(try add(.binary(.add), [scores, bias]), name: "scores")
    if Bool.random(using: &generator) { try builder.addOutput(try branch(), name: "branch") }
    if Bool.random(using: &generator) { try builder.addOutput(constant([1, 3]), name: "fixed") }
  }
}
