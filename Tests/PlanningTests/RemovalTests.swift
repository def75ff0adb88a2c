import Foundations
import Glibc
import Kernels
import ModelGraph
import Planning
import Tensors
import TestSupport
import Testing

/// s3 by its definition: the whole network again for every neuron and image.
private func plainDivergence(_ graph: Graph, node: Int, inputs: [Tensor]) throws -> [Double] {
  func probabilities(_ graph: Graph, _ input: Tensor) throws -> [Double] {
    let logits = (try Execution(Program(graph)).run(inputs: [input])[0].floats ?? [])
      .map(Double.init)
    let top = logits.max() ?? 0
    let sum = logits.reduce(0) { $0 + exp($1 - top) }
    return logits.map { exp($0 - top) / sum }
  }
  let value = graph.nodes[node].output
  let count = Importance.neurons(of: graph.nodes[node], graph: graph)
  let shape = graph[value].shape
  var isDense = false
  if case .dense = graph.nodes[node].operation { isDense = true }
  return try (0..<count).map { neuron in
    var mask = [Float](repeating: 1, count: count)
    mask[neuron] = 0
    var masked = graph
    let extents = isDense ? [count] : [count] + [Int](repeating: 1, count: shape.rank - 2)
    let constant = masked.add(constant: Tensor(Shape(extents), mask), name: "mask")
    let result = masked.add(Graph.Value(name: "masked", shape: shape))
    for index in masked.nodes.indices {
      masked.nodes[index].inputs = masked.nodes[index].inputs.map { $0 == value ? result : $0 }
    }
    masked.nodes.insert(
      Node(
        name: "mask", operation: .binary(.multiply), inputs: [value, constant], output: result),
      at: node + 1)
    masked.outputs = masked.outputs.map { $0 == value ? result : $0 }
    var sum = 0.0
    for input in inputs {
      let (p, q) = (try probabilities(graph, input), try probabilities(masked, input))
      for (p, q) in zip(p, q) {
        let middle = (p + q) / 2
        if p > 0 { sum += p * log(p / middle) / 2 }
        if q > 0 { sum += q * log(q / middle) / 2 }
      }
    }
    return sum / Double(inputs.count)
  }
}

extension CalibrationImages {
  init(_ inputs: [Tensor]) {
    self.init(count: inputs.count, sha256: "\(inputs.count)") { index in inputs[index] }
  }
}

@Suite(.serialized) struct RemovalTests {
  /// An inverted residual block, a branch with a concatenation, pooling and two dense layers.
  private func network(_ random: inout SeededGenerator, softmax: Bool = false) throws -> Graph {
    var builder = GraphBuilder(name: "net")
    func weights(_ shape: Shape) -> ValueID {
      let scale = 1.5 / Float(shape.innerCount(after: 0)).squareRoot()
      return builder.add(constant: random.tensor(shape, in: -scale...scale), name: "w")
    }
    func convolve(
      _ x: ValueID, _ outputs: Int, _ inputs: Int, kernel: Int, stride: Int = 1, groups: Int = 1,
      _ activation: Activation?, _ name: String
    ) throws -> ValueID {
      let pad = kernel / 2
      return try builder.add(
        .convolution(
          Convolution(
            kernel: Pair(kernel, kernel), strides: Pair(stride, stride),
            padding: Padding(pad, pad, pad, pad), groups: groups, activation: activation)),
        [x, weights([outputs, inputs / groups, kernel, kernel]), weights([outputs])], name: name)
    }
    let x = builder.addInput(name: "x", shape: [1, 3, 12, 12])
    let stem = try convolve(x, 6, 3, kernel: 3, stride: 2, .clip(minimum: 0, maximum: 6), "stem")
    let expand = try convolve(stem, 12, 6, kernel: 1, .clip(minimum: 0, maximum: 6), "expand")
    let depthwise = try convolve(
      expand, 12, 12, kernel: 3, groups: 12, .clip(minimum: 0, maximum: 6), "depthwise")
    let project = try convolve(depthwise, 6, 12, kernel: 1, nil, "project")
    let sum = try builder.add(.binary(.add), [stem, project], name: "sum")
    let left = try convolve(sum, 5, 6, kernel: 3, .gelu, "left")
    let right = try convolve(sum, 4, 6, kernel: 1, groups: 2, .relu, "right")
    let both = try builder.add(.concatenation(axis: 1), [left, right], name: "both")
    let pooled = try builder.add(
      .pooling(Pooling(kind: .maximum, kernel: Pair(2, 2), strides: Pair(2, 2))), [both],
      name: "pool")
    let mixed = try convolve(pooled, 7, 9, kernel: 3, .relu, "mixed")
    let flat = try builder.add(.reshape, [mixed], name: "flat", shape: [1, 63])
    let hidden = try builder.add(
      .dense(Dense(activation: .silu)), [flat, weights([11, 63]), weights([11])], name: "hidden")
    var logits = try builder.add(
      .dense(Dense()), [hidden, weights([5, 11]), weights([5])], name: "logits")
    if softmax {
      logits = try builder.add(.softmax(axis: 1, logarithmic: false), [logits], name: "softmax")
    }
    try builder.addOutput(logits, name: "y")
    return builder.graph
  }

  private func score(_ graph: Graph, _ inputs: [Tensor]) throws -> ImportanceScores {
    var scores = try Scoring.start(graph: graph, model: "m")
    try Scoring.addDivergence(to: &scores, graph: graph, images: CalibrationImages(inputs))
    return scores
  }

  @Test(arguments: [1, 3])
  func `every neuron is removed as if the whole network ran again`(threads: Int) throws {
    ComputeThreads.set(threads)
    defer { ComputeThreads.set(1) }
    var random = SeededGenerator(7)
    let graph = try network(&random)
    let inputs = (0..<3).map { _ in random.tensor([1, 3, 12, 12]) }
    let scores = try score(graph, inputs)
    #expect(scores.isComplete([.s3]))
    for layer in scores.layers {
      let node = try #require(graph.nodes.firstIndex { $0.name == layer.name })
      let expected = try plainDivergence(graph, node: node, inputs: inputs)
      let values = layer.s3 ?? []
      #expect(values.count == expected.count)
      for (neuron, (value, exact)) in zip(values, expected).enumerated() {
        #expect(
          abs(value - exact) <= 1e-3 * exact + 1e-9, "\(layer.name) \(neuron): \(value) \(exact)")
      }
    }
    let last = try #require(scores["logits"]?.s3)
    #expect(last.allSatisfy { $0 > 0 })
  }

  @Test func `a softmax at the end changes nothing`() throws {
    var (first, second) = (SeededGenerator(8), SeededGenerator(8))
    let graphs = (try network(&first), try network(&second, softmax: true))
    let inputs = [first.tensor([1, 3, 12, 12])]
    var (plain, soft) = (try score(graphs.0, inputs), try score(graphs.1, inputs))
    try Scoring.addSensitivity(
      to: &plain, graph: graphs.0, images: CalibrationImages(inputs))
    try Scoring.addSensitivity(to: &soft, graph: graphs.1, images: CalibrationImages(inputs))
    #expect(plain == soft)
  }

  @Test func `scoring goes on where it was stopped`() throws {
    var random = SeededGenerator(9)
    let graph = try network(&random)
    let images = CalibrationImages((0..<2).map { _ in random.tensor([1, 3, 12, 12]) })
    var whole = try Scoring.start(graph: graph, model: "m")
    var fractions: [Double] = []
    try Scoring.addDivergence(to: &whole, graph: graph, images: images) { progress, _ in
      fractions.append(progress.fraction)
    }
    #expect(fractions == fractions.sorted())
    #expect(abs((fractions.last ?? 0) - 1) < 1e-9)

    var scores = try Scoring.start(graph: graph, model: "m")
    var saved = scores
    for _ in 0..<100 where !scores.isComplete([.s3]) {
      var calls = 0
      do {
        try Scoring.addDivergence(to: &scores, graph: graph, images: images) {
          (_, soFar) throws(MartletError) in
          saved = soFar
          calls += 1
          if calls == 2 { throw MartletError(.cancelled, "stopped") }
        }
        saved = scores
      } catch {
        scores = saved
      }
    }
    #expect(scores == whole)
  }

  @Test func `a network that mixes inputs is scored one by one`() throws {
    var random = SeededGenerator(10)
    var builder = GraphBuilder(name: "net")
    let x = builder.addInput(name: "x", shape: [1, 2, 4, 4])
    let w = builder.add(constant: random.tensor([4, 2, 1, 1]), name: "w")
    let v = builder.add(constant: random.tensor([3, 16]), name: "v")
    let y = try builder.add(
      .convolution(Convolution(kernel: Pair(1, 1), activation: .tanh)), [x, w], name: "first")
    // The batch disappears, so that channels are axis 0.
    let rows = try builder.add(.reshape, [y], name: "rows", shape: [4, 16])
    let z = try builder.add(.dense(Dense()), [rows, v], name: "second")
    let flat = try builder.add(.reshape, [z], name: "flat", shape: [1, 12])
    try builder.addOutput(flat, name: "y")
    let graph = builder.graph
    let inputs = [random.tensor([1, 2, 4, 4])]
    let scores = try score(graph, inputs)
    let expected = try plainDivergence(graph, node: 0, inputs: inputs)
    for (value, exact) in zip(scores["first"]?.s3 ?? [], expected) {
      #expect(abs(value - exact) <= 1e-3 * exact + 1e-9)
    }
  }

  @Test func `what is not a number is named`() throws {
    var random = SeededGenerator(11)
    var graph = try network(&random)
    let node = try #require(graph.nodes.first { $0.name == "expand" })
    var values = try #require(graph.constants[node.inputs[1]]?.floats)
    values[6 * 5] = .nan
    graph.constants[node.inputs[1]] = Tensor(graph[node.inputs[1]].shape, values)
    let error = #expect(throws: MartletError.self) {
      try Scoring.start(graph: graph, model: "m")
    }
    #expect(error?.description.contains("layer: expand, neuron: 5") ?? false)
  }

  @Test func `outputs that are no numbers are named`() throws {
    var random = SeededGenerator(13)
    var builder = GraphBuilder(name: "net")
    let x = builder.addInput(name: "x", shape: [1, 4])
    let w = builder.add(constant: random.tensor([3, 4]), name: "w")
    let v = builder.add(constant: random.tensor([2, 3]), name: "v")
    let y = try builder.add(.dense(Dense()), [x, w], name: "first")
    try builder.addOutput(try builder.add(.dense(Dense()), [y, v], name: "second"), name: "y")
    let graph = builder.graph
    let images = CalibrationImages([Tensor([1, 4], [1, -.infinity, .infinity, 0])])
    for score in [ImportanceScores.Score.s2, .s3] {
      let error = #expect(throws: MartletError.self) {
        var scores = try Scoring.start(graph: graph, model: "m")
        if score == .s2 {
          try Scoring.addSensitivity(to: &scores, graph: graph, images: images)
        } else {
          try Scoring.addDivergence(to: &scores, graph: graph, images: images)
        }
      }
      #expect(error?.description.contains("layer: first, neuron: 0") ?? false)
    }
  }

  @Test func `images that are none or do not fit are refused`() throws {
    var random = SeededGenerator(12)
    let graph = try network(&random)
    for images in [CalibrationImages([]), CalibrationImages([random.tensor([1, 3, 5, 5])])] {
      #expect(throws: MartletError.self) {
        var scores = try Scoring.start(graph: graph, model: "m")
        try Scoring.addSensitivity(to: &scores, graph: graph, images: images)
      }
      #expect(throws: MartletError.self) {
        var scores = try Scoring.start(graph: graph, model: "m")
        try Scoring.addDivergence(to: &scores, graph: graph, images: images)
      }
    }
  }
}
