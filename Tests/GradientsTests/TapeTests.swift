import Foundations
import Gradients
import Kernels
import ModelGraph
import Tensors
import TestSupport
import Testing

@Suite(.serialized) struct TapeTests {
  /// Two branches, a residual addition, pooling and a product; one constant used twice.
  private func network(_ random: inout SeededGenerator, batch: Int) throws -> Graph {
    var builder = GraphBuilder(name: "net")
    let x = builder.addInput(name: "x", shape: [batch, 3, 8, 8])
    let w1 = builder.add(constant: random.tensor([6, 3, 3, 3]), name: "w1")
    let w2 = builder.add(constant: random.tensor([6, 1, 3, 3]), name: "w2")
    let b = builder.add(constant: random.tensor([6]), name: "b")
    let w3 = builder.add(constant: random.tensor([4, 6]), name: "w3")
    let first = try builder.add(
      .convolution(
        Convolution(kernel: Pair(3, 3), padding: Padding(1, 1, 1, 1), activation: .silu)),
      [x, w1, b], name: "first")
    let second = try builder.add(
      .convolution(
        Convolution(
          kernel: Pair(3, 3), padding: Padding(1, 1, 1, 1), groups: 6, activation: .sigmoid)),
      [first, w2, b], name: "second")
    let sum = try builder.add(.binary(.add), [first, second], name: "sum")
    let pooled = try builder.add(
      .reduction(Reduction(kind: .mean, axes: [2, 3])), [sum], name: "pool", shape: [batch, 6])
    let logits = try builder.add(.dense(Dense()), [pooled, w3], name: "logits")
    try builder.addOutput(logits, name: "logits")
    try builder.addOutput(sum, name: "sum")
    return builder.graph
  }

  @Test func `a whole network`() throws {
    var random = SeededGenerator(1)
    let graph = try network(&random, batch: 2)
    let objective = Objective(graph, inputs: [random.tensor([2, 3, 8, 8])], &random)
    try objective.check("network", &random, sourceLocation: #_sourceLocation)
  }

  @Test func `results do not depend on the number of threads`() throws {
    var random = SeededGenerator(2)
    let graph = try network(&random, batch: 5)
    let objective = Objective(graph, inputs: [random.tensor([5, 3, 8, 8])], &random)
    let targets = graph.inputs + graph.constants.keys.sorted()
    let single = try objective.gradients(of: targets)
    ComputeThreads.set(3)
    defer { ComputeThreads.set(1) }
    #expect(try objective.gradients(of: targets) == single)
  }

  @Test func `parameters can be changed between runs`() throws {
    var random = SeededGenerator(3)
    let graph = try network(&random, batch: 1)
    let tape = try GradientTape(BackwardPlan(graph, targets: []))
    let input = random.tensor([1, 3, 8, 8])
    let before = try tape.forward([input])
    let weights = try #require(graph.constants.keys.first { graph[$0].name == "w3" })
    tape.withParameter(weights) { for index in $0.indices { $0[index] *= 2 } }
    let after = try tape.forward([input])
    for (a, b) in zip(before[0].floats ?? [], after[0].floats ?? []) {
      #expect(abs(2 * a - b) <= 1e-4 * abs(b))
    }
  }

  @Test func `what cannot be differentiated is said`() throws {
    var random = SeededGenerator(4)
    let graph = try network(&random, batch: 1)
    let result = graph.outputs[0]
    #expect(throws: MartletError.self) { try BackwardPlan(graph, targets: [result]) }
    let tape = try GradientTape(BackwardPlan(graph, targets: graph.inputs))
    let cotangents = graph.outputs.map { random.tensor(graph[$0].shape) }
    #expect(throws: MartletError.self) { try tape.backward(cotangents) }
    #expect(throws: MartletError.self) { try tape.forward([]) }
    #expect(throws: MartletError.self) { try tape.forward([random.tensor([1, 3, 8, 7])]) }
    try tape.forward([random.tensor([1, 3, 8, 8])])
    #expect(throws: MartletError.self) { try tape.backward([cotangents[0]]) }

    var boundary = Graph(name: "exchange")
    let x = boundary.add(Graph.Value(name: "x", shape: [1, 2]))
    let y = boundary.add(Graph.Value(name: "y", shape: [1, 4]))
    boundary.inputs = [x]
    boundary.outputs = [y]
    boundary.nodes = [
      Node(
        name: "gather", operation: .exchange(Exchange(layer: "l", axis: 1, extents: [2, 2])),
        inputs: [x], output: y)
    ]
    let error = #expect(throws: MartletError.self) {
      try BackwardPlan(boundary, targets: boundary.inputs)
    }
    #expect(error?.code == .unsupported)
  }

  @Test func `an operation without a gradient is refused by name`() throws {
    let resize = Resize(filter: .linear, axes: [.init(axis: 0, extent: 4, scale: 2)])
    let graph = Graph(.resize(resize), [Tensor(Shape([2]), [1, 2] as [Float])], output: Shape([4]))
    let error = #expect(throws: MartletError.self) {
      try BackwardPlan(graph, targets: graph.inputs)
    }
    #expect(error?.code == .unsupported)
    #expect(error?.context.contains { $0.key == "node" && $0.value == "node" } == true)
  }
}
