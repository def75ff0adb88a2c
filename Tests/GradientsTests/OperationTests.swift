import Foundations
import Gradients
import ModelGraph
import Tensors
import TestSupport
import Testing

@Suite struct OperationTests {
  @Test(arguments: [
    Activation.relu, .clip(minimum: -0.75, maximum: 1.5), .leakyRelu(slope: 0.1),
    .leakyRelu(slope: -0.5), .sigmoid, .tanh, .silu, .gelu,
    .hardSigmoid(slope: 0.25, offset: 0.5), .hardSwish, .elu(slope: 1.5),
    .selu(slope: 1.5, scale: 1.25), .celu(slope: 0.5), .softplus, .mish, .softsign,
    .thresholdedRelu(threshold: 0.75),
  ])
  func activation(_ activation: Activation) throws {
    var random = SeededGenerator(1)
    // Kinks are at multiples of a quarter, or outside.
    let x = random.gridTensor([3, 13])
    try expectDerivative(.activation(activation), [x], output: [3, 13], seed: 1)
    // Fused: told from the result, or taken apart again.
    let identity = Tensor([13, 13], (0..<169).map { $0 % 14 == 0 ? 1 : 0 } as [Float])
    try expectDerivative(
      .dense(Dense(activation: activation)), [x, identity], output: [3, 13], seed: 2, step: 0.004,
      tolerance: 2e-2)
    let kernel = identity.reshaped([13, 13, 1, 1])
    try expectDerivative(
      .convolution(Convolution(kernel: Pair(1, 1), activation: activation)),
      [x.reshaped([3, 13, 1, 1]), kernel], output: [3, 13, 1, 1], seed: 3, step: 0.004,
      tolerance: 2e-2)
  }

  @Test(arguments: [
    UnaryFunction.negate, .absolute, .exponential, .logarithm, .squareRoot, .reciprocal,
    .errorFunction, .floor, .ceiling,
  ])
  func unary(_ function: UnaryFunction) throws {
    var random = SeededGenerator(2)
    let isPositive = [.logarithm, .squareRoot, .reciprocal].contains(function)
    let x = isPositive ? random.tensor([40], in: 0.5...2) : random.gridTensor([14])
    try expectDerivative(.unary(function), [x], output: x.shape, seed: 2)
  }

  @Test(arguments: [
    BinaryFunction.add, .subtract, .multiply, .divide, .power, .maximum, .minimum,
  ])
  func binary(_ function: BinaryFunction) throws {
    let shapes: [(Shape, Shape, Shape)] = [
      ([2, 3, 4], [2, 3, 4], [2, 3, 4]), ([2, 3, 4], [4], [2, 3, 4]),
      ([2, 3, 4], [3, 1], [2, 3, 4]), ([2, 1, 4], [3, 1], [2, 3, 4]), ([], [2, 3], [2, 3]),
      ([2, 3], [1], [2, 3]),
    ]
    for (seed, (a, b, output)) in shapes.enumerated() {
      var random = SeededGenerator(seed)
      let isExtremum = function == .maximum || function == .minimum
      let left = isExtremum ? random.gridTensor(a) : random.tensor(a, in: 0.5...2)
      var right = isExtremum ? random.gridTensor(b) : random.tensor(b, in: 0.6...2)
      if isExtremum { right = Tensor(b, (right.floats ?? []).map { $0 + 0.1 }) }
      try expectDerivative(.binary(function), [left, right], output: output, seed: seed)
    }
  }

  @Test func `a value may be both operands`() throws {
    var graph = Graph(name: "square")
    let x = graph.add(Graph.Value(name: "x", shape: [5]))
    let y = graph.add(Graph.Value(name: "y", shape: [5]))
    graph.inputs = [x]
    graph.outputs = [y]
    graph.nodes = [
      Node(name: "square", operation: .binary(.multiply), inputs: [x, x], output: y)
    ]
    var random = SeededGenerator(3)
    let given = random.tensor([5])
    let objective = Objective(graph, inputs: [given], &random)
    try objective.check("square", &random, sourceLocation: #_sourceLocation)
  }

  @Test func affine() throws {
    var random = SeededGenerator(4)
    for shape in [[2, 3, 4, 5], [3, 4]] as [Shape] {
      let operands = [
        random.tensor(shape), random.tensor([shape[1]]), random.tensor([shape[1]]),
      ]
      try expectDerivative(.channelAffine, operands, output: shape, seed: 4)
    }
  }

  @Test(arguments: 0..<12)
  func products(seed: Int) throws {
    var random = SeededGenerator(seed)
    let (m, n, k) = (random.int(1...5), random.int(1...6), random.int(1...7))
    let shapes: [(Shape, Shape, Shape)] = [
      ([m, k], [k, n], [m, n]), ([2, m, k], [2, k, n], [2, m, n]),
      ([3, m, k], [k, n], [3, m, n]), ([2, 1, m, k], [3, k, n], [2, 3, m, n]),
    ]
    let (a, b, y) = shapes[seed % 4]
    try expectDerivative(.matMul, [random.tensor(a), random.tensor(b)], output: y, seed: seed)
    let rows: Shape = [[m, k], [2, m, k], [k]][seed % 3]
    let operands =
      [random.tensor(rows), random.tensor([n, k])] + (seed % 2 == 0 ? [] : [random.tensor([n])])
    try expectDerivative(
      .dense(Dense(activation: random.pick([nil, .tanh, .gelu]))), operands,
      output: Shape(rows.dimensions.dropLast() + [n]), seed: seed, constants: [1, 2])
  }

  @Test(arguments: 0..<9)
  func `layer normalisation`(seed: Int) throws {
    var random = SeededGenerator(seed)
    let (shape, axes): (Shape, [Int]) =
      [([4, 7], [1]), ([2, 3, 5], [1, 2]), ([2, 6, 3, 4], [1])][seed % 3]
    let parameters = Shape(axes.map { shape[$0] })
    let operands = [random.tensor(shape)] + (0..<(seed / 3)).map { _ in random.tensor(parameters) }
    try expectDerivative(
      .layerNormalization(LayerNormalization(axes: axes, epsilon: 1e-3)), operands, output: shape,
      seed: seed, step: 5e-3, tolerance: 1e-2)
  }

  @Test(arguments: [0, 1, 2], [false, true])
  func softmax(axis: Int, logarithmic: Bool) throws {
    var random = SeededGenerator(axis)
    let x = random.tensor([3, 4, 5])
    try expectDerivative(
      .softmax(axis: axis, logarithmic: logarithmic), [x], output: x.shape, seed: axis)
  }

  @Test(arguments: [Reduction.Kind.mean, .sum, .maximum, .minimum, .product])
  func reduction(_ kind: Reduction.Kind) throws {
    var random = SeededGenerator(5)
    let x = random.gridTensor([2, 3, 4])
    let cases: [([Int], Shape)] = [
      ([2], [2, 3]), ([0], [1, 3, 4]), ([1], [2, 4]), ([0, 2], [3]), ([0, 1, 2], []),
    ]
    for (axes, output) in cases {
      try expectDerivative(
        .reduction(Reduction(kind: kind, axes: axes)), [x], output: output, seed: axes.count)
    }
  }

  /// A zero makes all other slopes of its product zero; two make all of them.
  @Test func `product with zeros`() throws {
    let x = Tensor([3, 3], [2, 0, 3, 0, 5, 0, 2, 3, 4] as [Float])
    let graph = Graph(
      .reduction(Reduction(kind: .product, axes: [1])), [x], output: [3], constants: [])
    let tape = try GradientTape(BackwardPlan(graph, targets: graph.inputs))
    tape.clearGradients()
    try tape.forward([x])
    try tape.backward([Tensor([3], [1, 1, 1] as [Float])])
    #expect(tape.gradient(of: graph.inputs[0]).floats == [0, 6, 0, 0, 0, 0, 12, 8, 6])
  }

  @Test func movement() throws {
    var random = SeededGenerator(6)
    let x = random.tensor([2, 3, 4])
    try expectDerivative(.transpose(permutation: [2, 0, 1]), [x], output: [4, 2, 3], seed: 1)
    try expectDerivative(.reshape, [x], output: [6, 4], seed: 2)
    try expectDerivative(
      .slice([
        SliceRange(start: 1, count: 1), SliceRange(start: 2, step: -1, count: 3),
        SliceRange(start: 0, step: 2, count: 2),
      ]), [x], output: [1, 3, 2], seed: 3)
    try expectDerivative(
      .pad(before: [1, -1, 0], after: [0, 2, -2], value: 3), [x], output: [3, 4, 2], seed: 4)
    try expectDerivative(
      .selection(axis: 1, indices: [2, 0, 2]), [x], output: [2, 3, 4], seed: 5)
    try expectDerivative(
      .concatenation(axis: 1), [x, random.tensor([2, 1, 4]), random.tensor([2, 2, 4])],
      output: [2, 6, 4], seed: 6)
  }
}
