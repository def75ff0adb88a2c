import Engine
import Foundations
import ModelGraph
import Plan
import Planning
import Tensors
import TestSupport
import Testing

/// The whole network with lost neurons zeroed where their layer is exchanged: what a split one must
/// compute, whoever stands in for whom.
private func damaged(_ graph: Graph, plan: Plan, lost: [[Int]]) -> Graph {
  var result = graph
  result.nodes = []
  var replacement: [ValueID: ValueID] = [:]
  for node in graph.nodes {
    var node = node
    node.inputs = node.inputs.map { replacement[$0] ?? $0 }
    result.nodes.append(node)
    for point in plan.exchanges where point.value == node.output && point.stage != nil {
      var shape = [Int](repeating: 1, count: point.shape.rank)
      shape[point.axis] = point.shape[point.axis]
      var mask = [Float](repeating: 1, count: point.shape[point.axis])
      for neuron in point.layer.map({ lost[$0] }) ?? [] { mask[neuron] = 0 }
      let constant = result.add(Graph.Value(name: "mask\(point.id)", shape: Shape(shape)))
      result.constants[constant] = Tensor(Shape(shape), mask)
      let output = result.add(Graph.Value(name: "masked\(point.id)", shape: point.shape))
      result.nodes.append(
        Node(
          name: "masked\(point.id)", operation: .binary(.multiply),
          inputs: [node.output, constant], output: output))
      replacement[node.output] = output
    }
  }
  result.outputs = graph.outputs.map { replacement[$0] ?? $0 }
  return result
}

@Suite("Replicas and codes")
struct RedundancyTests {
  private func subsets(_ devices: Int) -> [[Bool]] {
    (1..<(1 << devices)).map { mask in (0..<devices).map { mask >> $0 & 1 == 1 } }
  }

  /// Runs every non-empty set of devices against the damaged whole, and with active replicas against
  /// those on standby: the same copies give the same answer to the bit. Where a code is beyond what it
  /// can restore, active parity fills before the activation instead of behind it; those are left out.
  private func check(
    _ graph: Graph, _ placements: [LayerPlacement], shares: [Double], seed: Int,
    tolerating: Int = 0, bound: Float = 1e-4
  ) throws {
    let plan = try plan(graph, placements, shares: shares)
    let cluster = try cluster(plan, graph)
    let input = RandomGraph.input(of: graph, seed: UInt64(seed))
    for alive in subsets(shares.count) {
      let lost = placements.map { $0.lostNeurons(alive: alive) }
      if alive.count(where: { !$0 }) <= tolerating {
        let isComplete = lost.allSatisfy(\.isEmpty)
        #expect(isComplete, "seed \(seed), alive \(alive)")
      }
      let reference = try whole(damaged(graph, plan: plan, lost: lost), input)
      let output = try cluster.run([input], alive: alive)[0].floats ?? []
      let error = relativeError(output, reference)
      #expect(error < bound, "seed \(seed), alive \(alive): relative error \(error)")
      guard alive.count(where: { !$0 }) <= tolerating || placements.allSatisfy({ $0.code == nil })
      else { continue }
      let active = try cluster.run([input], alive: alive, replicas: .active)[0].floats ?? []
      #expect(active == output, "seed \(seed), alive \(alive)")
    }
  }

  @Test("random replicas of random networks, every set of devices", arguments: 0..<30)
  func replicas(seed: Int) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    var generator = SeededGenerator(UInt64(seed) &+ 77)
    let devices = Int.random(in: 2...4, using: &generator)
    let placements = try Sharding(graph).layers.map { layer in
      LayerPlacement(
        holders: (0..<layer.neurons).map { _ in
          let order = Array(0..<devices).shuffled(using: &generator)
          return Array(order.prefix(Int.random(in: 1...devices, using: &generator)))
        })
    }
    try check(graph, placements, shares: Array(repeating: 1, count: devices), seed: seed)
  }

  @Test("codes that survive m of n devices, every set of devices", arguments: 0..<30)
  func codes(seed: Int) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    var generator = SeededGenerator(UInt64(seed) &+ 177)
    let devices = Int.random(in: 2...5, using: &generator)
    let tolerating = Int.random(in: 1..<devices, using: &generator)
    let shares = [Double](repeating: 1, count: devices)
    let layers = LayerTraits.all(of: try Sharding(graph), graph: graph)
    try check(
      graph, try Placing.coded(layers, shares: shares, tolerating: tolerating), shares: shares,
      seed: seed, tolerating: tolerating)
  }

  @Test("replicas and codes of rarer layers, every set of devices", arguments: 0..<24)
  func rarerLayers(seed: Int) throws {
    let graph = try RandomGraph.layers(seed: UInt64(seed))
    let shares = [Double](repeating: 1, count: 3)
    let layers = LayerTraits.all(of: try Sharding(graph), graph: graph)
    try check(
      graph, Placing.copies(layers, shares: shares, tolerating: 1), shares: shares, seed: seed,
      tolerating: 1)
    try check(
      graph, try Placing.coded(layers, shares: shares, tolerating: 1), shares: shares, seed: seed,
      tolerating: 1, bound: 3e-4)
  }

  @Test("a parity device (CDC)", arguments: 0..<15)
  func parityDevice(seed: Int) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    let shares = [Double](repeating: 1, count: 2 + seed % 3)
    let layers = LayerTraits.all(of: try Sharding(graph), graph: graph)
    try check(
      graph, try Placing.parityDevice(layers, shares: shares), shares: shares, seed: seed,
      tolerating: 1)
  }

  @Test("layers of all kinds beside each other", arguments: 0..<15)
  func mixed(seed: Int) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    var generator = SeededGenerator(UInt64(seed) &+ 277)
    let shares = [Double](repeating: 1, count: 4)
    let layers = LayerTraits.all(of: try Sharding(graph), graph: graph)
    let kinds = [
      try Placing.coded(layers, shares: shares, tolerating: 0),
      try Placing.coded(layers, shares: shares, tolerating: 1),
      try Placing.coded(layers, shares: shares, tolerating: 2),
      Placing.copies(layers, shares: shares, tolerating: 1),
    ]
    let placements = layers.indices.map { layer in
      kinds[Int.random(in: 0..<kinds.count, using: &generator)][layer]
    }
    try check(graph, placements, shares: shares, seed: seed)
  }

  @Test("up to eight devices decode every set they should to 1e-4", arguments: 2...8)
  func everyCount(devices: Int) throws {
    let graph = try RandomGraph.chain(seed: 5)
    let shares = [Double](repeating: 1, count: devices)
    let layers = LayerTraits.all(of: try Sharding(graph), graph: graph)
    for tolerating in 1..<devices {
      let plan = try plan(
        graph, try Placing.coded(layers, shares: shares, tolerating: tolerating), shares: shares)
      let cluster = try cluster(plan, graph)
      let input = RandomGraph.input(of: graph, seed: 9)
      let reference = try whole(graph, input)
      for alive in subsets(devices) where alive.count(where: { !$0 }) <= tolerating {
        let output = try cluster.run([input], alive: alive)[0].floats ?? []
        let error = relativeError(output, reference)
        #expect(error < 1e-4, "\(tolerating) of \(devices), alive \(alive): \(error)")
      }
    }
  }

  @Test("lost channels get their means")
  func means() throws {
    let graph = try RandomGraph.chain(seed: 2)
    let zero = try plan(graph, shares: [1, 1], method: .lop)
    let means = zero.exchanges.map { [Float](repeating: 0.25, count: $0.shape[$0.axis]) }
    let filled = try plan(
      graph, zero.placements, shares: [1, 1], fill: Plan.Fill(.mean, constants: means))
    let input = RandomGraph.input(of: graph, seed: 2)
    func answer(_ plan: Plan, _ alive: [Bool]) throws -> [Float] {
      try cluster(plan, graph).run([input], alive: alive)[0].floats ?? []
    }
    #expect(try answer(filled, [true, true]) == answer(zero, [true, true]))
    let last = try #require(zero.exchanges.last?.layer)
    let lost = try answer(filled, [true, false])
    for neuron in zero.parts[last][1] { #expect(lost[neuron] == 0.25) }
    #expect(try answer(zero, [true, false])[zero.parts[last][1][0]] == 0)
  }

  @Test("a healthy device computes no more than its share")
  func standbyIsFree() throws {
    let graph = try RandomGraph.chain(seed: 4)
    let shares = [Double](repeating: 1, count: 4)
    let layers = LayerTraits.all(of: try Sharding(graph), graph: graph)
    let single = try plan(
      graph, try Placing.coded(layers, shares: shares, tolerating: 0), shares: shares)
    let coded = try plan(
      graph, try Placing.coded(layers, shares: shares, tolerating: 1), shares: shares)
    let work = (0..<4).map { coded.cost(of: $0).multiplyAdds }.reduce(0, +)
    #expect(work == (0..<4).map { single.cost(of: $0).multiplyAdds }.reduce(0, +))
    let bytes = (0..<4).map { coded.cost(of: $0).weightBytes }.reduce(0, +)
    let plain = (0..<4).map { single.cost(of: $0).weightBytes }.reduce(0, +)
    #expect(Double(bytes) > 1.3 * Double(plain))
    #expect(Double(bytes) < 1.6 * Double(plain))
  }
}
