import Foundations
import ModelGraph
import Plan
import Planning
import Tensors
import TestSupport
import Testing

@Suite("Choosing pairs of layers")
struct PairSearchTests {
  /// 1000 inputs, hidden units, scores.
  private func dense(hidden: Int, scores: Int) throws -> Graph {
    var builder = GraphBuilder(name: "dense")
    var value = builder.addInput(name: "x", shape: [1, 1000])
    for (name, units, inputs) in [("hidden", hidden, 1000), ("scores", scores, hidden)] {
      let shape: Shape = [units, inputs]
      let weights = Tensor(shape, [Float](repeating: 1, count: shape.count))
      value = try builder.add(
        .dense(Dense()), [value, builder.add(constant: weights, name: name + ".weight")],
        name: name)
    }
    try builder.addOutput(value, name: "y")
    return builder.graph
  }

  private let devices = [Plan.Device(name: "d0"), Plan.Device(name: "d1")]

  /// Messages without headers, and no cost that is not in the profile.
  private func cost(_ links: [String] = ["8mbit", "client=none"]) throws -> CostModel {
    var assumptions = CostAssumptions(
      DeviceProfiles(all: .plain(), devices: 2),
      network: try NetworkSpeed(
        parsing: links, broker: nil, names: devices.map(\.name)))
    assumptions.constants.messageBytes = 0
    assumptions.constants.framing = 1
    assumptions.constants.stage = 0
    assumptions.constants.handling = 0
    assumptions.constants.packing = 0
    return CostModel(assumptions)
  }

  private func price(
    _ graph: Graph, _ links: [String] = ["8mbit", "client=none"]
  ) throws -> PlacementPrice {
    PlacementPrice(
      graph, model: .init(name: graph.name, sha256: "", preprocessing: nil, labels: []),
      devices: devices, wire: nil, cost: try cost(links), goal: .latency
    ) {}
  }

  private func make(
    _ graph: Graph, _ method: String = "lop", strips: StripWish = .none, pairs: PairWish
  ) throws -> Plan {
    let maker = try PlanMaker(
      try PlanningMethods.standard.named(method), strips: strips, pairs: pairs)
    let layout = try maker.layout(of: graph, wishes: DeviceWishes(count: 2))
    return try maker.make(
      PlacingContext(
        graph: graph, model: .init(name: graph.name, sha256: "", preprocessing: nil, labels: []),
        layout: layout)
    ).plan
  }

  @Test("what a pair takes can be reckoned by hand")
  func byHand() throws {
    let plan = try make(try dense(hidden: 400, scores: 10), pairs: .all)
    #expect(plan.sharding.pairs == [1] && plan.method == "lop, 1 pair")
    let prediction = try cost().predict(plan: plan)
    // Input 4000 B, 200,000 operations, 2000 operations, 40 B up; the client adds up 20 numbers.
    let latency = 4e-3 + 2e-3 + 0.02e-3 + 0.04e-3
    #expect((latency - 1e-9...latency + 0.01e-3).contains(prediction.latency))
    for device in prediction.devices {
      #expect(device.bytesSent == 40 && device.bytesReceived == 4000)
    }
    #expect(prediction.client.bytesReceived == 80)
  }

  @Test("pairs are chosen where they cost less")
  func best() throws {
    // Through its own link the client gets each score from both devices.
    let (fast, slow) = (["8mbit", "client=none"], ["8mbit"])
    for (hidden, scores, links, expected) in [
      (400, 10, fast, [1]), (400, 10, slow, [1]), (400, 399, fast, [1]), (400, 399, slow, []),
      (10, 400, fast, []),
    ] {
      let graph = try dense(hidden: hidden, scores: scores)
      let best = try PairSearch(graph, price: try price(graph, links)).best()
      #expect(best == expected, "\(hidden), \(scores), \(links)")
    }
  }

  @Test("what is chosen costs no more than nothing or all", arguments: 0..<8)
  func cheapest(seed: Int) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    let best = try PairSearch(graph, price: try price(graph)).best()
    func latency(_ pairs: [Int]) throws -> Double {
      let sharding = try Sharding(graph, pairs: pairs)
      let placements = Placing.contiguous(
        LayerTraits.all(of: sharding, graph: graph), shares: [1, 1])
      return try cost().predict(
        plan: try Plan(
          model: .init(name: graph.name, sha256: "", preprocessing: nil, labels: []),
          method: "", devices: devices, graph: graph, sharding: sharding, placements: placements)
      ).latency
    }
    #expect(try latency(best) <= min(latency([]), latency(Sharding.pairs(of: graph))))
  }

  @Test("wishes are read and refused with what to do")
  func wishes() throws {
    let graph = try dense(hidden: 400, scores: 10)
    #expect(PairWish("a,b") == .at(["a", "b"]) && PairWish("all") == .all)
    #expect(try make(graph, pairs: .at(["scores"])).sharding.pairs == [1])
    #expect(try make(graph, pairs: .none).sharding.pairs.isEmpty)
    #expect(try make(graph, pairs: .chosen([])).sharding.pairs.isEmpty)
    func refusal(_ body: () throws -> Plan) -> MartletError? {
      do {
        _ = try body()
        return nil
      } catch {
        return error as? MartletError
      }
    }
    let unknown = refusal { try make(graph, pairs: .at(["nowhere"])) }
    #expect(unknown?.code == .notFound && unknown?.hint?.contains("scores") == true)
    let wrong = refusal { try make(graph, pairs: .at(["hidden"])) }
    #expect(wrong?.code == .unsupported && wrong?.hint?.contains("scores") == true)
    let narrow = try dense(hidden: 10, scores: 400)
    #expect(refusal { try make(narrow, pairs: .all) }?.code == .unsupported)
    let whole = refusal { try make(graph, "whole", pairs: .all) }
    #expect(whole?.code == .invalidArgument && whole?.hint?.contains("--pairs") == true)
    let copies = refusal { try make(graph, "replicate", pairs: .all) }
    #expect(copies?.code == .unsupported && copies?.hint?.contains("--pairs") == true)
  }

  @Test("pairs are behind strips", arguments: 0..<8)
  func behindStrips(seed: Int) throws {
    let graph = try RandomGraph.chain(seed: UInt64(seed))
    let plan = try make(
      graph, strips: .until(graph.nodes[3].name), pairs: .all)
    let strips = try #require(plan.sharding.strips)
    #expect(!plan.sharding.pairs.isEmpty)
    #expect(Set(strips.nodes).isDisjoint(with: plan.sharding.pairs))
    #expect(plan.method.hasSuffix("pair") || plan.method.hasSuffix("pairs"))
  }
}
