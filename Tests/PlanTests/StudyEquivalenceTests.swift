import Engine
import Evaluation
import Foundations
import ModelGraph
import Plan
import Planning
import Resilience
import Tensors
import TestSupport
import Testing

/// A study takes channels out of one whole model. It must come to what the devices' own programs come
/// to when some of them are missing.
@Suite("A study equals the devices' programs")
struct StudyEquivalenceTests {
  private func check(
    _ graph: Graph, _ placements: [LayerPlacement], devices: Int, seed: Int,
    fill: Plan.Fill = .zero,
    pairs: [Int] = []
  ) throws {
    let shares = [Double](repeating: 1, count: devices)
    let plan = try plan(graph, placements, shares: shares, fill: fill, pairs: pairs)
    let cluster = try cluster(plan, graph)
    let input = RandomGraph.input(of: graph, seed: UInt64(seed) + 5)
    let values = ExchangedValue.all(of: plan.graph, plan.sharding)
    let model = try MaskedModel(graph, points: values.map(\.point))
    let sets = try FailureSets.upTo(devices - 1, devices: devices)
    let masks = sets.map { failed in
      let alive = (0..<devices).map { !failed.contains($0) }
      return Mask(
        lost: values.map {
          placements[$0.layer].lostNeurons(alive: alive, isBehindFilters: $0.isBehindFilters)
        })
    }
    let trie = model.arrange(masks)
    var scores = [[Float]](repeating: [], count: masks.count)
    let execution = try MaskedExecution(model, fills: [studied(fill, of: plan, values)])
    try execution.run([input.floats ?? []], masks: trie) { leaf, values in
      for mask in trie.leaves[leaf] { scores[mask] = Array(values) }
    }
    for (failed, scores) in zip(sets, scores) {
      let alive = (0..<devices).map { !failed.contains($0) }
      let expected = try cluster.run([input], alive: alive)[0].floats ?? []
      let error = relativeError(scores, expected)
      #expect(error < 1e-4, "seed \(seed), failed \(failed): relative error \(error)")
    }
  }

  /// A plan's fill, of the values of a study: hidden ones lose zeros.
  private func studied(_ fill: Plan.Fill, of plan: Plan, _ values: [ExchangedValue]) -> Plan.Fill {
    guard let constants = fill.constants else { return fill }
    return Plan.Fill(
      fill.kind,
      constants: values.map { value in
        plan.exchanges.firstIndex { $0.value == value.point.value && $0.takesConstants }
          .map { constants[$0] }
          ?? [Float](repeating: 0, count: plan.graph[value.point.value].shape[value.point.axis])
      })
  }

  private func layers(_ graph: Graph) throws -> [LayerTraits] {
    LayerTraits.all(of: try Sharding(graph), graph: graph)
  }

  @Test("each neuron on one device", arguments: 0..<30)
  func parts(seed: Int) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    let parts = PartitionMethod.interleaved.parts(
      graph: graph, sharding: try Sharding(graph), shares: [1, 2, 1])
    try check(graph, Placing.single(parts), devices: 3, seed: seed)
  }

  private func replicas(_ graph: Graph, seed: Int) throws -> [LayerPlacement] {
    var generator = SeededGenerator(UInt64(seed) &+ 77)
    return try Sharding(graph).layers.map { layer in
      LayerPlacement(
        holders: (0..<layer.neurons).map { _ in
          let order = Array(0..<3).shuffled(using: &generator)
          return Array(order.prefix(Int.random(in: 1...3, using: &generator)))
        })
    }
  }

  @Test("replicas", arguments: 0..<20)
  func replicas(seed: Int) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    try check(graph, try replicas(graph, seed: seed), devices: 3, seed: seed)
  }

  @Test("means instead of zeros", arguments: 0..<20)
  func means(seed: Int) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    var generator = SeededGenerator(UInt64(seed) &+ 99)
    let means = ExchangedValue.all(of: graph, try Sharding(graph)).map { value in
      (0..<graph[value.point.value].shape[value.point.axis]).map { _ in
        Float.random(in: -1...1, using: &generator)
      }
    }
    try check(
      graph, try replicas(graph, seed: seed), devices: 3, seed: seed,
      fill: Plan.Fill(.mean, constants: means))
  }

  @Test("pairs", arguments: 0..<30, [false, true])
  func pairs(seed: Int, hasMeans: Bool) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    let pairs = Sharding.everyPair(of: graph)
    let sharding = try Sharding(graph, pairs: pairs)
    let placements = Placing.single(
      PartitionMethod.interleaved.parts(graph: graph, sharding: sharding, shares: [1, 2, 1]))
    var fill = Plan.Fill.zero
    if hasMeans {
      var generator = SeededGenerator(UInt64(seed) &+ 55)
      let plan = try plan(graph, placements, shares: [1, 1, 1], pairs: pairs)
      fill = Plan.Fill(
        .mean,
        constants: plan.exchanges.map { point in
          guard point.takesConstants else { return [] }
          return (0..<point.shape[point.axis]).map { _ in
            Float.random(in: -1...1, using: &generator)
          }
        })
    }
    try check(graph, placements, devices: 3, seed: seed, fill: fill, pairs: pairs)
  }

  @Test("codes", arguments: 0..<30)
  func codes(seed: Int) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    let devices = 3 + seed % 2
    let shares = [Double](repeating: 1, count: devices)
    let layers = try layers(graph)
    let coded = try Placing.coded(layers, shares: shares, tolerating: 1 + seed % (devices - 1))
    try check(graph, coded, devices: devices, seed: seed)
    try check(
      graph, try Placing.parityDevice(layers, shares: shares), devices: devices, seed: seed)
  }
}
