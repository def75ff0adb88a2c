import Engine
import Foundations
import ModelGraph
import Plan
import Processes
import Tensors
import TestSupport
import Testing
import WireProtocol

extension TinyModel {
  /// Edge, fog and cloud with one dense layer each. A skip hyperconnection leads from the edge to the
  /// cloud, zero-padded to the width of the fog's output.
  static func withTiers(skip: Bool = true, _ body: (TinyModel) throws -> Void) throws {
    var builder = GraphBuilder(name: "tiers")
    var random = SeededGenerator(11)
    var blocks: [Sharding.NodeBlock] = []
    func dense(_ input: ValueID, _ name: String, units: Int) throws -> ValueID {
      func tensor(_ shape: Shape) -> Tensor {
        Tensor(shape, (0..<shape.count).map { _ in Float.random(in: -1...1, using: &random) })
      }
      let width = builder.graph[input].shape[1]
      let weights = builder.add(constant: tensor([units, width]), name: name + ".weight")
      let bias = builder.add(constant: tensor([units]), name: name + ".bias")
      let output = try builder.add(.dense(Dense()), [input, weights, bias], name: name)
      blocks.append(.init(name: name, nodes: [builder.graph.nodes.count - 1]))
      return output
    }
    let edge = try dense(builder.addInput(name: "x", shape: inputShape), "edge", units: 4)
    let fog = try dense(edge, "fog", units: 6)
    var sum = fog
    let start = builder.graph.nodes.count
    if skip {
      let padded = try builder.add(
        .pad(before: [0, 0], after: [0, 2], value: 0), [edge], name: "padded")
      sum = try builder.add(.binary(.add), [fog, padded], name: "sum")
    }
    try builder.addOutput(try dense(sum, "cloud", units: 3), name: "y")
    blocks[2].nodes = Array(start..<builder.graph.nodes.count)
    let graph = builder.graph
    let plan = try Plan(
      model: .init(
        name: graph.name, sha256: "", preprocessing: nil, labels: [], frequencies: [0.2, 0.5, 0.3]),
      method: "vertical", devices: blocks.map { Plan.Device(name: $0.name, tier: $0.name) },
      graph: graph, sharding: try Sharding(graph, blocks: blocks),
      placements: blocks.indices.map { LayerPlacement(holders: [[$0]]) })
    try TemporaryFolder.with(prefix: "martlet-test") { path in
      let folder = try PlanFolder.write(plan, graph: graph, to: path + "/plan")
      try body(
        TinyModel(
          folder: folder,
          engines: try (0..<3).map { try DeviceEngines(folder: folder, device: $0) },
          client: try DeviceEngines(folder: folder, device: nil)))
    }
  }
}

/// Vertical plans on a network and a clock that the test controls.
@Suite struct VerticalCoreTests {
  private func simulate(skip: Bool = true, _ body: (Simulation) throws -> Void) throws {
    try TinyModel.withTiers(skip: skip) { model in
      let simulation = Simulation(model)
      simulation.announceAll()
      try body(simulation)
    }
  }

  private func reasons(_ outcome: ClientCore.Outcome) -> Set<String> {
    Set(outcome.fills.fills.map { "\($0.device) \($0.reason.rawValue) at \($0.receiver)" })
  }

  /// Every set of devices that are known to be gone.
  @Test(arguments: 0..<8, [true, false])
  func answersAreThoseOfOneProcess(_ mask: Int, _ skip: Bool) throws {
    try simulate(skip: skip) { simulation in
      let dead = Set((0..<3).filter { mask >> $0 & 1 == 1 })
      for device in dead.sorted() { simulation.announce(device, .lost) }
      simulation.dead = dead
      let input = simulation.model.input(3)
      try simulation.send(1, input: input)
      try simulation.settle()
      let outcome = try #require(simulation.answer())
      let expected = try simulation.model.expected(input, alive: (0..<3).map { !dead.contains($0) })
      #expect(outcome.isNull == expected.isEmpty)
      // Without the cloud nobody sends anything, and asking again would not help.
      #expect(outcome.hasParts)
      #expect(outcome.isNull == (dead.contains(2) || dead.contains(0) || !skip && dead.contains(1)))
      if !outcome.isNull { #expect(simulation.outputs(outcome) == expected) }
      if dead == [1], skip { #expect(reasons(outcome) == ["1 lost at 2"]) }
      if dead == [0] {
        #expect(
          reasons(outcome)
            == (skip
              ? ["0 lost at 1", "0 lost at 2", "1 null at 2", "2 null at 3"]
              : ["0 lost at 1", "1 null at 2", "2 null at 3"]))
      }
    }
  }

  /// The edge is slow: the fog waits for one deadline and says that it has nothing. The cloud, which
  /// has nothing of its own to wait behind, gives those before it their time and then needs none.
  @Test func eachTierGivesThoseBeforeItTheirTime() throws {
    try simulate(skip: false) { simulation in
      let input = simulation.model.input(1)
      try simulation.send(1, input: input)
      try simulation.settle { $0.sender != 0 }
      simulation.advance(milliseconds: 249)
      try simulation.settle()
      #expect(simulation.answer() == nil)
      simulation.advance(milliseconds: 1)
      try simulation.settle()
      let outcome = try #require(simulation.answer())
      #expect(outcome.isNull && outcome.hasParts)
      #expect(reasons(outcome) == ["0 deadline at 1", "1 null at 2", "2 null at 3"])
    }
  }

  /// The fog is slow, and the cloud goes on with what skipped it.
  @Test func theSkipHyperconnectionCarriesTheAnswer() throws {
    try simulate { simulation in
      let input = simulation.model.input(1)
      try simulation.send(1, input: input)
      try simulation.settle { $0.sender != 1 }
      simulation.advance(milliseconds: 499)
      try simulation.settle()
      #expect(simulation.answer() == nil)
      simulation.advance(milliseconds: 1)
      try simulation.settle()
      let outcome = try #require(simulation.answer())
      #expect(!outcome.isNull && reasons(outcome) == ["1 deadline at 2"])
      #expect(
        try simulation.outputs(outcome)
          == simulation.model.expected(input, alive: [true, false, true]))
    }
  }

  /// The edge's part reaches the cloud and not the fog, which waits for it in vain: the cloud has what
  /// it needs of the edge, and still gives the fog the time to say that it has nothing.
  @Test func whatSkipsADeviceDoesNotHurryIt() throws {
    try simulate { simulation in
      let input = simulation.model.input(1)
      try simulation.send(1, input: input)
      for device in 0..<3 { try simulation.work(device) }
      let parts = simulation.network
      simulation.network = []
      for part in parts { simulation.deliver(part) { $0 != 1 } }
      try simulation.settle()
      simulation.advance(milliseconds: 250)
      // The cloud looks at the clock before the fog does.
      for device in [2, 1] { try simulation.work(device) }
      try simulation.settle()
      let outcome = try #require(simulation.answer())
      #expect(!outcome.isNull && reasons(outcome) == ["0 deadline at 1", "1 null at 2"])
      #expect(
        try simulation.outputs(outcome)
          == simulation.model.expected(input, alive: [true, false, true]))
    }
  }

  @Test func aPartWithoutElementsIsRefusedInAHorizontalPlan() throws {
    try TinyModel.with { model in
      let simulation = Simulation(model)
      simulation.announceAll()
      try simulation.send(1, input: model.input(1))
      let shape = try simulation.partShape(0, 1).replacing(axis: 1, with: 0)
      simulation.deliver(
        try simulation.part(exchange: 0, device: 1, frame: 1, values: [], shape: shape))
      #expect(simulation.workers[0].drops.totals == [.wrongShape: 1])
    }
  }
}
