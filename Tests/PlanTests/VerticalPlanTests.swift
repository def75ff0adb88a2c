import Engine
import Evaluation
import Foundations
import Kernels
import ModelGraph
import Plan
import Planning
import Processes
import Resilience
import TensorFiles
import Tensors
import TestSupport
import Testing

@Suite("Vertical plans")
struct VerticalPlanTests {
  /// A plan that cuts a graph behind random nodes, one block for each device.
  private func verticalPlan(_ graph: Graph, devices: Int, seed: Int) throws -> Plan {
    var generator = SeededGenerator(UInt64(seed) &+ 1234)
    let behind = graph.nodes.indices.dropLast().filter {
      graph[graph.nodes[$0].output].shape[0] == 1
    }
    let ends = behind.shuffled(using: &generator).prefix(devices - 1).sorted()
    let cuts = try VerticalCuts(after: ends.map { graph.nodes[$0].name }, of: graph)
    let sharding = try Sharding(graph, blocks: cuts.blocks(of: graph))
    return try Plan(
      model: .init(name: graph.name, sha256: "", preprocessing: nil, labels: []),
      method: "vertical", devices: (0..<devices).map { Plan.Device(name: "d\($0)") }, graph: graph,
      sharding: sharding,
      placements: sharding.layers.indices.map { LayerPlacement(holders: [[$0]]) })
  }

  private func alive(_ devices: Int, but failed: [Int]) -> [Bool] {
    (0..<devices).map { !failed.contains($0) }
  }

  @Test("with everybody there the devices come to what the whole model does", arguments: 0..<30)
  func everybody(seed: Int) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    let devices = 2 + seed % 3
    let cluster = try cluster(try verticalPlan(graph, devices: devices, seed: seed), graph)
    let input = RandomGraph.input(of: graph, seed: UInt64(seed))
    let answer = try cluster.run([input], alive: alive(devices, but: []))[0].floats ?? []
    #expect(try relativeError(answer, whole(graph, input)) < 1e-6, "seed \(seed)")
  }

  @Test("a chain without one of its devices has no answer", arguments: 0..<10)
  func chain(seed: Int) throws {
    let graph = try RandomGraph.chain(seed: UInt64(seed))
    let plan = try verticalPlan(graph, devices: 3, seed: seed)
    let cluster = try cluster(plan, graph)
    let input = RandomGraph.input(of: graph, seed: UInt64(seed))
    for failed in try FailureSets.upTo(2, devices: 3).dropFirst() {
      #expect(try cluster.run([input], alive: alive(3, but: failed)).isEmpty, "\(failed)")
    }
    #expect(try cluster.run([input], alive: alive(3, but: [])).count == 1)
  }

  @Test("no device receives what it does not read, nor weights of others", arguments: 0..<20)
  func narrow(seed: Int) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    let plan = try verticalPlan(graph, devices: 3, seed: seed)
    var weights = 0
    for device in 0..<3 {
      weights += ShardInventory(plan, device: device).entries.count
      let read = Set(
        plan.sharding.layers[device].block?.nodes.flatMap { graph.nodes[$0].inputs } ?? [])
      for exchange in plan.possibleGatherings(device: device).map({ plan.exchanges[$0] }) {
        #expect(read.contains(exchange.value) && !exchange.senders.contains(device))
      }
    }
    let all = Set(graph.nodes.flatMap(\.inputs)).filter { graph.constants[$0] != nil }
    #expect(weights == all.count, "seed \(seed)")
    #expect(ShardInventory(plan, device: nil).entries.isEmpty)
  }

  @Test("a study comes to what the devices do, whoever is missing", arguments: 0..<30)
  func study(seed: Int) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    let devices = 2 + seed % 3
    let plan = try verticalPlan(graph, devices: devices, seed: seed)
    let cluster = try cluster(plan, graph)
    let input = RandomGraph.input(of: graph, seed: UInt64(seed) + 5)
    let values = ExchangedValue.all(of: plan.graph, plan.sharding)
    // A value without a channel axis cannot be masked, nor can such a model be studied.
    guard values.allSatisfy({ graph[$0.point.value].shape.rank > 1 }) else { return }
    let model = try MaskedModel(graph, points: values.map(\.point), hasNulls: true)
    let sets = try FailureSets.upTo(devices - 1, devices: devices)
    let masks = sets.map { failed in
      Mask(
        lost: values.map {
          failed.contains($0.layer) ? Array(0..<($0.wholeChannels ?? 0)) : []
        })
    }
    let trie = model.arrange(masks)
    var scores = [[Float]](repeating: [], count: masks.count)
    try MaskedExecution(model).run([input.floats ?? []], masks: trie) { leaf, values in
      for mask in trie.leaves[leaf] { scores[mask] = Array(values) }
    }
    for (failed, scores) in zip(sets, scores) {
      let expected = try cluster.run([input], alive: alive(devices, but: failed))
      #expect(scores.isEmpty == expected.isEmpty, "seed \(seed), failed \(failed)")
      guard let values = expected.first?.floats else { continue }
      #expect(relativeError(scores, values) < 1e-5, "seed \(seed), failed \(failed)")
    }
  }

  @Test("what is read from a folder is what was written", arguments: 0..<5)
  func folder(seed: Int) throws {
    try TemporaryFolder.with(prefix: "martlet-plan-test") { folder in
      let graph = try RandomGraph.network(seed: UInt64(seed))
      var plan = try verticalPlan(graph, devices: 3, seed: seed)
      let outputs = graph[graph.outputs[0]].shape.count
      let frequencies = (0..<outputs).map { $0 == 0 ? 1.0 : 0 }
      plan = try Plan(
        model: .init(
          name: graph.name, sha256: "", preprocessing: nil, labels: [], frequencies: frequencies),
        method: "vertical",
        devices: [.init(name: "edge", tier: "edge"), .init(name: "fog"), .init(name: "cloud")],
        graph: graph, sharding: plan.sharding, placements: plan.placements)
      let written = try PlanFolder.write(plan, graph: graph, to: folder + "/plan")
      let read = try PlanFolder(reading: written.path)
      #expect(read.id == written.id && read.plan.sharding.layers == plan.sharding.layers)
      #expect(read.plan.exchanges == plan.exchanges && read.plan.devices == plan.devices)
      #expect(read.plan.guess.frequencies == frequencies)
      for device in 0..<3 { _ = try read.constants(device: device) }
    }
  }

  @Test("means of channels do not go with null")
  func means() throws {
    let graph = try RandomGraph.chain(seed: 1)
    let plan = try verticalPlan(graph, devices: 2, seed: 1)
    #expect(throws: MartletError.self) {
      try Plan(
        model: plan.model, method: "vertical", devices: plan.devices, graph: graph,
        sharding: plan.sharding, placements: plan.placements,
        fill: Plan.Fill(.mean, constants: plan.exchanges.map { _ in [0] }))
    }
  }
}
