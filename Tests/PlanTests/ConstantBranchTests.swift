import Engine
import Foundations
import Kernels
import ModelGraph
import Plan
import Planning
import Processes
import Tensors
import TestSupport
import Testing

/// Whatever operands are constants, and whatever an output comes from: a graph is divided and runs, or
/// it is refused with an error. The seed is the test's argument.
@Suite("Graphs with constant branches")
struct ConstantBranchTests {
  private func everything(_ graph: Graph, _ input: Tensor) throws -> [Tensor] {
    try Execution(try Program(graph)).run(inputs: [input])
  }

  private func expectEqual(_ outputs: [Tensor], _ reference: [Tensor], _ what: String) {
    #expect(outputs.map(\.shape) == reference.map(\.shape), "\(what)")
    for (output, expected) in zip(outputs, reference) {
      let error = relativeError(output.floats ?? [], expected.floats ?? [])
      #expect(error < 1e-4, "\(what): relative error \(error)")
    }
  }

  @Test("divided by neurons they compute what the whole does", arguments: 0..<60)
  func neurons(seed: Int) throws {
    let graph = try ConstantBranches.network(seed: UInt64(seed))
    let input = RandomGraph.input(of: graph, seed: UInt64(seed))
    let reference = try everything(graph, input)
    for (count, method) in zip([1, 2, 3], [PartitionMethod.lop, .interleaved, .lop]) {
      let shares = [Double](repeating: 1, count: count)
      let cluster = try cluster(graph, shares: shares, method: method)
      let all = [Bool](repeating: true, count: count)
      expectEqual(
        try cluster.run([input], alive: all), reference, "seed \(seed), \(count) devices")
      for failed in 0..<count {
        let outputs = try cluster.run([input], alive: (0..<count).map { $0 != failed })
        #expect(outputs.map(\.shape) == reference.map(\.shape), "seed \(seed), without \(failed)")
      }
    }
  }

  @Test("replicas lose nothing of them", arguments: 0..<20)
  func replicas(seed: Int) throws {
    let graph = try ConstantBranches.network(seed: UInt64(seed))
    let input = RandomGraph.input(of: graph, seed: UInt64(seed))
    let reference = try everything(graph, input)
    let placements = try Sharding(graph).layers.map { layer in
      LayerPlacement(holders: (0..<layer.neurons).map { [$0 % 2, 1 - $0 % 2] })
    }
    let cluster = try cluster(try plan(graph, placements, shares: [1, 1]), graph)
    for alive in [[true, true], [true, false], [false, true]] {
      expectEqual(try cluster.run([input], alive: alive), reference, "seed \(seed), \(alive)")
    }
  }

  @Test("strips divide what the input reaches", arguments: 0..<30)
  func strips(seed: Int) throws {
    let graph = try ConstantBranches.network(seed: UInt64(seed))
    let nodes = Strips.front(of: graph, end: graph.nodes.count)
    guard !nodes.isEmpty else { return }
    let strips = try Strips(graph, nodes: nodes, halos: [])
    let input = RandomGraph.input(of: graph, seed: UInt64(seed))
    let plan = try plan(graph, shares: [1, 2], method: .lop, strips: strips)
    expectEqual(
      try cluster(plan, graph).run([input], alive: [true, true]), try everything(graph, input),
      "seed \(seed)")
  }

  @Test("blocks of nodes may have no operand but constants", arguments: 0..<20)
  func blocks(seed: Int) throws {
    let graph = try ConstantBranches.network(seed: UInt64(seed))
    let half = graph.nodes.count / 2
    let sharding: Sharding
    do {
      sharding = try Sharding(
        graph,
        blocks: [
          .init(name: "front", nodes: Array(0..<half)),
          .init(name: "back", nodes: Array(half..<graph.nodes.count)),
        ])
    } catch {
      // Weights that are computed in one block and read in the other have no batch.
      #expect(error.code == .unsupported)
      return
    }
    let plan = try Plan(
      model: Plan.Model(name: graph.name, sha256: "", preprocessing: nil, labels: []),
      method: "vertical", devices: [Plan.Device(name: "d0"), Plan.Device(name: "d1")],
      graph: graph, sharding: sharding,
      placements: [LayerPlacement(holders: [[0]]), LayerPlacement(holders: [[1]])])
    let input = RandomGraph.input(of: graph, seed: UInt64(seed))
    expectEqual(
      try cluster(plan, graph).run([input], alive: [true, true]), try everything(graph, input),
      "seed \(seed)")
  }

  @Test("passes keep what they compute", arguments: 0..<40)
  func optimised(seed: Int) throws {
    let graph = try ConstantBranches.network(seed: UInt64(seed))
    let input = RandomGraph.input(of: graph, seed: UInt64(seed))
    expectEqual(
      try everything(try graph.optimised(), input), try everything(graph, input), "seed \(seed)")
  }

  @Test("a plan on disk has the constants that outputs are", arguments: 0..<12)
  func folders(seed: Int) throws {
    let graph = try ConstantBranches.network(seed: UInt64(seed))
    let input = RandomGraph.input(of: graph, seed: UInt64(seed))
    try TemporaryFolder.with(prefix: "martlet-constants-test") { folder in
      let made = try plan(graph, shares: [1, 1], method: .interleaved)
      _ = try PlanFolder.write(made, graph: graph, to: folder + "/plan")
      let read = try PlanFolder(reading: folder + "/plan")
      func engines(_ device: Int?) throws -> DeviceEngines {
        try DeviceEngines(
          plan: read.plan, device: device, constants: try read.constants(device: device),
          rowFill: .standard)
      }
      let cluster = LocalCluster(
        devices: try (0..<2).map { try engines($0) }, client: try engines(nil), wire: .float32)
      expectEqual(
        try cluster.run([input], alive: [true, true]), try everything(graph, input),
        "seed \(seed)")
    }
  }

  /// A structure as a plan's file may hold it: its constants are in shards.
  private func use(_ structure: Graph, _ original: Graph) throws {
    let read = Set(structure.nodes.flatMap(\.inputs) + structure.outputs)
    try structure.validate(external: read.subtracting(structure.computedValues))
    let placements = try Sharding(structure).layers.map { layer in
      LayerPlacement(holders: (0..<layer.neurons).map { $0 % 3 == 0 ? [0, 1] : [1] })
    }
    let plan = try plan(structure, placements, shares: [1, 1])
    for device in plan.devices.indices { _ = plan.cost(of: device) }
    _ = Head(detecting: plan.graph)
    let cluster = try cluster(plan, original)
    let inputs = plan.graph.inputs.map { id in
      let shape = plan.graph[id].shape
      return Tensor(shape, [Float](repeating: 0.5, count: shape.count))
    }
    for alive in [[true, true], [false, true]] { _ = try cluster.run(inputs, alive: alive) }
  }

  @Test("whatever is wired wrongly, it runs or is refused", arguments: 0..<24)
  func damaged(seed: Int) throws {
    var generator = SeededGenerator(UInt64(seed) &+ 4)
    let original = try ConstantBranches.network(seed: UInt64(seed))
    for round in 0..<40 {
      var structure = original
      structure.constants = [:]
      for _ in 0..<Int.random(in: 1...2, using: &generator) { structure.damage(&generator) }
      #expect(throws: Never.self, "seed \(seed), round \(round)") {
        do { try use(structure, original) } catch is MartletError {}
      }
    }
  }

  @Test("a weighted node of constants is no layer, and its result no exchange")
  func layers() throws {
    var builder = GraphBuilder(name: "test")
    let x = builder.addInput(name: "x", shape: [1, 3])
    func weights(_ shape: Shape, _ name: String) -> ValueID {
      builder.add(
        constant: Tensor(shape, [Float](repeating: 0.5, count: shape.count)), name: name)
    }
    let left = try builder.add(.dense(Dense()), [x, weights([4, 3], "w")], name: "left")
    let right = try builder.add(
      .dense(Dense()), [weights([1, 2], "c"), weights([4, 2], "v")], name: "right")
    let sum = try builder.add(.binary(.add), [left, right], name: "sum")
    try builder.addOutput(sum, name: "y")
    let sharding = try Sharding(builder.graph)
    #expect(sharding.layers.map(\.id) == ["left"])
    #expect(sharding[right] == .full)
  }

  @Test("what has no input, no output, or an exchange of its own is refused")
  func refusals() throws {
    let graph = try ConstantBranches.network(seed: 1)
    let sharding = try Sharding(graph)
    let placements = sharding.layers.map { layer in
      LayerPlacement(holders: (0..<layer.neurons).map { _ in [0] })
    }
    func failure(_ change: (inout Graph) -> Void) -> MartletError.Code? {
      var other = graph
      change(&other)
      do {
        _ = try Plan(
          model: Plan.Model(name: "test", sha256: "", preprocessing: nil, labels: []),
          method: "test", devices: [Plan.Device(name: "d0")], graph: other, sharding: sharding,
          placements: placements)
        return nil
      } catch {
        return error.code
      }
    }
    #expect(failure { _ in } == nil)
    #expect(failure { $0.inputs = [] } == .unsupported)
    #expect(failure { $0.outputs = [] } == .unsupported)
    #expect(
      failure {
        let exchange = Exchange(layer: "x", axis: 1, extents: [$0[$0.inputs[0]].shape[1]])
        $0.nodes[0].operation = .exchange(exchange)
      } == .invalidFile)
  }
}

extension Graph {
  /// One wire that leads elsewhere, or a node less.
  fileprivate mutating func damage(_ generator: inout SeededGenerator) {
    guard !nodes.isEmpty else { return }
    let node = Int.random(in: 0..<nodes.count, using: &generator)
    let value = ValueID(Int.random(in: -1...values.count, using: &generator))
    switch Int.random(in: 0...7, using: &generator) {
    case 0, 1:
      guard let place = nodes[node].inputs.indices.randomElement(using: &generator) else { return }
      nodes[node].inputs[place] = value
    case 2: outputs = [value]
    case 3: outputs.append(value)
    case 4: inputs = [value]
    case 5: nodes.remove(at: node)
    case 6: nodes[node].inputs.append(value)
    default: nodes[node].output = value
    }
  }
}
