import Evaluation
import Foundations
import Kernels
import ModelGraph
import Plan
import Tensors
import TestSupport
import Testing

/// A model whose points are the values that a plan would exchange.
struct Subject {
  let graph: Graph
  let values: [ExchangedValue]
  let neurons: [Int]

  init(_ graph: Graph) throws {
    self.graph = graph
    let sharding = try Sharding(graph)
    values = ExchangedValue.all(of: graph, sharding)
    neurons = sharding.layers.map(\.neurons)
  }

  var points: [ChannelPoint] { values.map(\.point) }
  var layers: [Int] { values.map(\.layer) }

  func model(batch: Int = 1) throws -> MaskedModel {
    try MaskedModel(try graph.rebatched(to: batch), points: points)
  }

  func mask(_ generator: inout SeededGenerator) -> Mask {
    // Some layers whole, so that masks share beginnings.
    let lost = neurons.map { count in
      Bool.random(using: &generator)
        ? [] : (0..<count).filter { _ in Int.random(in: 0...2, using: &generator) == 0 }
    }
    return Mask(lost: layers.map { lost[$0] })
  }

  /// The same network with a multiplication by zeros and ones, and an addition of constants, behind
  /// each point.
  func damaged(_ mask: Mask, fill: [[Float]]? = nil) throws -> Graph {
    var result = graph
    var nodes: [Node] = []
    var replacement: [ValueID: ValueID] = [:]
    for var node in graph.nodes {
      node.inputs = node.inputs.map { replacement[$0] ?? $0 }
      nodes.append(node)
      guard let point = points.firstIndex(where: { $0.value == node.output }) else { continue }
      let (value, axis) = (points[point].value, points[point].axis)
      let shape = graph[value].shape
      let vector = Shape([shape[axis]] + [Int](repeating: 1, count: shape.rank - axis - 1))
      let isLost = (0..<shape[axis]).map { mask.lost[point].contains($0) }
      var current = value
      for (name, operation, elements) in [
        ("kept", Operation.binary(.multiply), isLost.map { $0 ? 0 : 1 }),
        (
          "fill", Operation.binary(.add),
          isLost.indices.map { isLost[$0] ? fill?[point][$0] ?? 0 : 0 }
        ),
      ] {
        let constant = result.add(
          constant: Tensor(vector, elements.map { Float($0) }), name: "\(name)-c\(point)")
        let output = result.add(Graph.Value(name: "\(name)\(point)", shape: shape))
        nodes.append(
          Node(
            name: "\(name)\(point)", operation: operation, inputs: [current, constant],
            output: output))
        current = output
      }
      replacement[value] = current
    }
    result.nodes = nodes
    result.outputs = graph.outputs.map { replacement[$0] ?? $0 }
    return result
  }
}

/// The scores of each mask, by entry of the batch.
func scores(
  _ model: MaskedModel, _ masks: [Mask], _ inputs: [Tensor], fill: Plan.Fill = .zero
) throws -> [[[Float]]] {
  let trie = model.arrange(masks)
  var result = [[[Float]]](repeating: [], count: masks.count)
  let execution = try MaskedExecution(model, fills: [fill])
  // Twice: nothing of the first run may be left in the second.
  for _ in 0..<2 {
    try execution.run([inputs.flatMap { $0.floats ?? [] }], masks: trie) { leaf, values in
      let count = model.outputCount
      for mask in trie.leaves[leaf] {
        result[mask] = inputs.indices.map { Array(values[$0 * count..<($0 + 1) * count]) }
      }
    }
  }
  return result
}

func outputs(_ graph: Graph, _ input: Tensor) throws -> [Tensor] {
  try Execution(try Program(graph)).run(inputs: [input])
}

func whole(_ graph: Graph, _ input: Tensor) throws -> [Float] {
  try outputs(graph, input)[0].floats ?? []
}

/// Largest difference over the largest magnitude.
func relativeError(_ values: [Float], _ reference: [Float]) -> Float {
  guard values.count == reference.count else { return .infinity }
  let scale = max(reference.map(abs).max() ?? 0, 1e-6)
  let worst = zip(values, reference).map { abs($0 - $1) }.max() ?? 0
  return worst.isNaN || values.contains(where: \.isNaN) ? .infinity : worst / scale
}

@Suite("Removing channels from a whole model")
struct MaskedModelTests {
  @Test("equals multiplying by a constant mask", arguments: 0..<40)
  func bruteForce(seed: Int) throws {
    let subject = try Subject(try RandomGraph.network(seed: UInt64(seed)))
    var generator = SeededGenerator(UInt64(seed) + 500)
    let model = try subject.model()
    let input = RandomGraph.input(of: subject.graph, seed: UInt64(seed))
    let masks = (0..<6).map { _ in subject.mask(&generator) }
    let results = try scores(model, masks, [input])
    for (mask, result) in zip(masks, results) {
      let expected = try whole(try subject.damaged(mask), input)
      #expect(relativeError(result[0], expected) < 1e-5, "seed \(seed), \(mask)")
    }
  }

  @Test("fills with constants", arguments: 0..<10)
  func constants(seed: Int) throws {
    let subject = try Subject(try RandomGraph.network(seed: UInt64(seed)))
    var generator = SeededGenerator(UInt64(seed) + 900)
    let model = try subject.model()
    let input = RandomGraph.input(of: subject.graph, seed: UInt64(seed))
    let fill = subject.points.indices.map { point in
      (0..<model.channels(of: point)).map { _ in Float.random(in: -1...1, using: &generator) }
    }
    let mask = subject.mask(&generator)
    let result = try scores(model, [mask], [input], fill: Plan.Fill(.mean, constants: fill))[0][0]
    let expected = try whole(try subject.damaged(mask, fill: fill), input)
    #expect(relativeError(result, expected) < 1e-5, "seed \(seed)")
  }

  @Test("sharing prefixes changes no bit, and equal masks are computed once", arguments: 0..<15)
  func sharing(seed: Int) throws {
    let subject = try Subject(try RandomGraph.network(seed: UInt64(seed)))
    var generator = SeededGenerator(UInt64(seed) + 70)
    let model = try subject.model()
    let input = RandomGraph.input(of: subject.graph, seed: UInt64(seed))
    var masks = (0..<12).map { _ in subject.mask(&generator) }
    masks.append(Mask(lost: subject.points.map { _ in [] }))
    // Two masks that agree up to the last point.
    var near = masks[0]
    near.lost[near.lost.count - 1] = near.lost[near.lost.count - 1].isEmpty ? [0] : []
    masks += [near, masks[0], masks[3]]
    let together = try scores(model, masks, [input])
    for (mask, result) in zip(masks, together) {
      let alone = try scores(model, [mask], [input])[0]
      #expect(result == alone, "seed \(seed)")
    }
    #expect(model.arrange(masks).leaves.count == Set(masks).count)
    #expect(model.arrange([near, masks[0]]).runs == subject.points.count + 2)
    #expect(relativeError(together[12][0], try whole(subject.graph, input)) < 1e-6)
  }

  @Test("entries of a batch do not touch each other", arguments: 0..<20)
  func batches(seed: Int) throws {
    let subject = try Subject(try RandomGraph.network(seed: UInt64(seed)))
    var generator = SeededGenerator(UInt64(seed) + 33)
    let masks = (0..<4).map { _ in subject.mask(&generator) }
    let inputs = (0..<3).map { RandomGraph.input(of: subject.graph, seed: UInt64($0)) }
    let single = try subject.model()
    let batched = try scores(try subject.model(batch: 3), masks, inputs)
    for (entry, input) in inputs.enumerated() {
      let alone = try scores(single, masks, [input])
      for mask in masks.indices {
        let error = relativeError(batched[mask][entry], alone[mask][0])
        #expect(error < 1e-5, "seed \(seed), mask \(mask), entry \(entry)")
      }
    }
  }

  @Test("a graph that mixes its inputs has no batches")
  func unbatchable() throws {
    var builder = GraphBuilder(name: "mixing")
    let x = builder.addInput(name: "x", shape: [1, 4])
    let turned = try builder.add(.transpose(permutation: [1, 0]), [x], name: "turn")
    try builder.addOutput(turned, name: "y")
    let graph = builder.graph
    let error = #expect(throws: MartletError.self) { try graph.rebatched(to: 2) }
    #expect(error?.code == .unsupported)
    #expect(error?.context.first?.value == "turn")
  }

  @Test("points that are none are refused")
  func badPoints() throws {
    let graph = try RandomGraph.chain(seed: 1)
    let value = graph.nodes[0].output
    for points in [
      [ChannelPoint(value: graph.inputs[0], axis: 1)],
      [ChannelPoint(value: value, axis: 0)], [ChannelPoint(value: value, axis: 4)],
      [ChannelPoint(value: value, axis: 1), ChannelPoint(value: value, axis: 1)],
    ] {
      #expect(throws: MartletError.self) { try MaskedModel(graph, points: points) }
    }
  }

  @Test("stops when asked")
  func stopping() throws {
    let subject = try Subject(try RandomGraph.chain(seed: 1))
    let model = try subject.model()
    let trie = model.arrange([Mask(lost: subject.points.map { _ in [] })])
    let error = #expect(throws: MartletError.self) {
      try MaskedExecution(model).run(
        [RandomGraph.input(of: subject.graph, seed: 1).floats ?? []], masks: trie,
        isStopped: { true }, body: { _, _ in })
    }
    #expect(error?.code == .cancelled)
  }
}
