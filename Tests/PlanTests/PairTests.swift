import Engine
import Foundations
import ModelGraph
import Plan
import Planning
import Tensors
import TestSupport
import Testing

@Suite("Pairs of layers")
struct PairTests {
  /// Random pairs behind random strips, on devices with random shares.
  private struct Trial {
    let graph: Graph
    let shares: [Double]
    let pairs: [Int]
    let plan: Plan
    let description: String

    init(seed: UInt64, behindStrips: Bool = false) throws {
      var generator = SeededGenerator(seed &* 37 &+ 11)
      let graph = try RandomGraph.network(seed: seed)
      let count = Int.random(in: 1...8, using: &generator)
      var shares = (0..<count).map { _ in Double(Int.random(in: 0...3, using: &generator)) }
      shares[Int.random(in: 0..<count, using: &generator)] += 1
      let end = Int.random(in: 1...graph.nodes.count / 2 + 1, using: &generator)
      let strips = behindStrips ? StripFront(graph).strips(end: end) : nil
      let isWanted = graph.nodes.map { _ in Int.random(in: 0...2, using: &generator) > 0 }
      pairs = Sharding.everyPair(of: graph, strips: strips) { isWanted[$0] }
      self.graph = graph
      self.shares = shares
      plan = try PlanTests.plan(
        graph, shares: shares, method: Bool.random(using: &generator) ? .lop : .interleaved,
        strips: strips, pairs: pairs)
      description = "seed \(seed), pairs \(pairs), shares \(shares)"
    }
  }

  @Test("random networks have some")
  func areThere() throws {
    let trials = try (0..<100).map { try Trial(seed: UInt64($0)) }
    #expect(trials.count { !$0.pairs.isEmpty } > 20)
    #expect(trials.contains { $0.pairs.count > 1 })
  }

  @Test("compute what the whole model does", arguments: 0..<150, [false, true])
  func exact(seed: Int, behindStrips: Bool) throws {
    let trial: Trial
    do {
      trial = try Trial(seed: UInt64(seed), behindStrips: behindStrips)
    } catch let error as MartletError where behindStrips && error.code == .unsupported {
      // Strips that leave nothing to place.
      return
    }
    let input = RandomGraph.input(of: trial.graph, seed: UInt64(seed))
    let reference = try whole(trial.graph, input)
    let devices = try cluster(trial.plan, trial.graph)
    let alive = Array(repeating: true, count: trial.shares.count)
    let all = try devices.run([input], alive: alive)[0].floats
    let error = relativeError(all ?? [], reference)
    #expect(error < 1e-4, "\(trial.description): relative error \(error)")
  }

  @Test("are summed up by everybody in the same order of devices", arguments: 0..<60)
  func sameSums(seed: Int) throws {
    let trial = try Trial(seed: UInt64(seed))
    let plan = trial.plan
    for end in trial.pairs {
      let number = try #require(
        plan.exchanges.firstIndex {
          $0.isPairSum && $0.value == trial.graph.nodes[end].output
        })
      var rows: Set<[[Combination.Term]]> = []
      for device in [nil] + plan.devices.indices.map(Optional.some) {
        let program = plan.program(
          device: device, attendance: .everyone(plan.devices.count))
        guard let gathering = program.gatherings.first(where: { $0.exchange == number }) else {
          continue
        }
        let parts = program.graph.nodes[gathering.node].output
        let readers = program.graph.nodes.filter { $0.inputs.contains(parts) }
        guard readers.count == 1, case .combination(let sum) = readers[0].operation else {
          Issue.record("\(trial.description): the parts are not just added up")
          continue
        }
        rows.insert(sum.rows)
      }
      let terms = try #require(rows.first?.first, "\(trial.description): nobody gathers")
      #expect(rows.count == 1, "\(trial.description)")
      #expect(terms.map(\.index) == plan.exchanges[number].senders)
      #expect(terms.allSatisfy { $0.factor == 1 })
    }
  }

  // MARK: Losses

  /// The graph in which pairs read nothing of the hidden neurons of some devices.
  private func graph(_ graph: Graph, of plan: Plan, lost: Set<Int>) throws -> Graph {
    var result = graph
    for (end, layer) in zip(plan.sharding.pairs, plan.sharding.hiddenLayers(graph)) {
      let id = graph.nodes[end].inputs[1]
      let weights = try #require(graph.constants[id])
      var elements = try #require(weights.floats)
      let (columns, inner) = (weights.shape[1], weights.shape.innerCount(after: 1))
      for row in 0..<weights.shape[0] {
        for (neuron, holders) in plan.placements[layer].holders.enumerated()
        where lost.contains(holders[0]) {
          for index in 0..<inner { elements[(row * columns + neuron) * inner + index] = 0 }
        }
      }
      result.constants[id] = Tensor(weights.shape, elements)
    }
    return result
  }

  /// Hidden neurons on one device each, all others on all devices.
  private func placements(_ sharding: Sharding, _ graph: Graph, devices: Int) -> [LayerPlacement] {
    let hidden = Set(sharding.hiddenLayers(graph))
    return sharding.layers.enumerated().map { number, layer in
      LayerPlacement(
        holders: (0..<layer.neurons).map { neuron in
          let first = (neuron * devices / layer.neurons + number) % devices
          return hidden.contains(number) ? [first] : (0..<devices).map { (first + $0) % devices }
        })
    }
  }

  /// - Returns: whether nothing but pairs reads hidden neurons, so that it could be checked.
  private func checkLosses(_ graph: Graph, seed: Int, strips: Strips? = nil) throws -> Bool {
    let devices = 3
    let shares = [Double](repeating: 1, count: devices)
    let pairs = Sharding.everyPair(of: graph, strips: strips)
    let sharding = try Sharding(graph, strips: strips, pairs: pairs)
    let hidden = Set(sharding.hiddenLayers(graph))
    let isClosed = sharding.exchanges.allSatisfy { value in
      guard case .sharded(let layer, _) = sharding[value] else { return true }
      return !hidden.contains(layer)
    }
    guard isClosed, !pairs.isEmpty else { return false }
    let plan = try plan(
      graph, placements(sharding, graph, devices: devices), shares: shares, strips: strips,
      pairs: pairs)
    let input = RandomGraph.input(of: graph, seed: UInt64(seed))
    let cluster = try cluster(plan, graph)
    for replicas in Replicas.allCases {
      for mask in 1..<(1 << devices) {
        let alive = (0..<devices).map { mask >> $0 & 1 == 1 }
        let lost = Set((0..<devices).filter { !alive[$0] })
        let reference = try whole(try self.graph(graph, of: plan, lost: lost), input)
        let output = try cluster.run([input], alive: alive, replicas: replicas)[0].floats ?? []
        let error = relativeError(output, reference)
        #expect(
          error < 1e-4, "seed \(seed), alive \(alive), \(replicas): relative error \(error)")
      }
    }
    return true
  }

  @Test("a lost device costs what its hidden neurons contribute", arguments: 0..<20)
  func lossesInAChain(seed: Int) throws {
    #expect(try checkLosses(try RandomGraph.chain(seed: UInt64(seed)), seed: seed))
  }

  @Test("and in networks of all kinds", arguments: 0..<60)
  func losses(seed: Int) throws {
    _ = try checkLosses(try RandomGraph.network(seed: UInt64(seed)), seed: seed)
  }

  @Test("and behind strips, where survivors cut rows anew", arguments: 0..<20)
  func lossesBehindStrips(seed: Int) throws {
    let graph = try RandomGraph.chain(seed: UInt64(seed))
    let strips = try #require(StripFront(graph).strips(end: 1))
    #expect(try checkLosses(graph, seed: seed, strips: strips))
  }

  // MARK: Cost

  @Test(
    "their ends' weights are divided by input channels, once over all devices", arguments: 0..<30)
  func weights(seed: Int) throws {
    let trial = try Trial(seed: UInt64(seed))
    let inventories = trial.plan.devices.indices.map { ShardInventory(trial.plan, device: $0) }
    for end in trial.pairs {
      let id = trial.graph.nodes[end].inputs[1]
      let held = inventories.flatMap { $0.entries.filter { $0.slice.source == id } }
      #expect(
        held.reduce(0) { $0 + $1.shape.count } == trial.graph[id].shape.count,
        "\(trial.description), \(trial.graph.nodes[end].name)")
    }
  }

  @Test("nothing is exchanged between the two layers, and each device sends one result's size")
  func traffic() throws {
    let graph = try RandomGraph.chain(seed: 3)
    let pairs = Sharding.everyPair(of: graph)
    let plan = try plan(graph, shares: [1, 1, 1], method: .lop, pairs: pairs)
    let without = try PlanTests.plan(graph, shares: [1, 1, 1], method: .lop)
    #expect(plan.exchangeCount < without.exchangeCount)
    for end in pairs {
      let node = graph.nodes[end]
      #expect(!plan.exchanges.contains { $0.value == node.inputs[0] })
      let number = try #require(plan.exchanges.firstIndex { $0.value == node.output })
      #expect(plan.exchanges[number].isPairSum && !plan.exchanges[number].takesConstants)
      for device in 0..<3 {
        let program = plan.program(device: device)
        let publication = try #require(program.publications.first { $0.exchange == number })
        #expect(program.graph[publication.value].shape == graph[node.output].shape)
      }
    }
  }

  @Test("contributions may travel as halves and bytes", arguments: 0..<10)
  func wireTypes(seed: Int) throws {
    let graph = try RandomGraph.chain(seed: UInt64(seed))
    let plan = try plan(
      graph, shares: [1, 2, 1], method: .lop, pairs: Sharding.everyPair(of: graph))
    let input = RandomGraph.input(of: graph, seed: UInt64(seed))
    let reference = try whole(graph, input)
    for (type, bound) in [(ElementType.float16, Float(0.02)), (.int8, 0.5)] {
      let output =
        try cluster(plan, graph, wire: type).run(
          [input], alive: [true, true, true])[0].floats ?? []
      let error = relativeError(output, reference)
      #expect(error < bound && error > 0, "seed \(seed), \(type): relative error \(error)")
    }
  }

  // MARK: Which

  @Test("those by which less is sent can be had together", arguments: 0..<100)
  func narrowing(seed: Int) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    let pairs = Sharding.pairs(of: graph)
    let sharding = try Sharding(graph, pairs: pairs)
    #expect(sharding.pairs == pairs)
    for end in pairs {
      let node = graph.nodes[end]
      #expect(graph[node.output].shape.count < graph[node.inputs[0]].shape.count)
    }
  }

  @Test("an inverted residual block is one")
  func inverted() throws {
    let graph = try PairGraphs.inverted()
    let pairs = Sharding.pairs(of: graph)
    #expect(pairs.map { graph.nodes[$0].name } == ["narrow"])
    let sharding = try Sharding(graph, pairs: pairs)
    #expect(sharding.layers.map(\.id) == ["wide"])
    #expect(sharding.exchanges.isEmpty)
  }
}
