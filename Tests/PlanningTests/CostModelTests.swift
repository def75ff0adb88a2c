import Foundations
import ModelGraph
import Plan
import Planning
import Tensors
import TestSupport
import Testing

@Suite("Predictions")
struct CostModelTests {
  /// 1000 inputs, 400 hidden units, 10 scores.
  private func dense() throws -> Graph {
    var builder = GraphBuilder(name: "dense")
    var value = builder.addInput(name: "x", shape: [1, 1000])
    for (name, units, inputs) in [("hidden", 400, 1000), ("scores", 10, 400)] {
      let shape: Shape = [units, inputs]
      let weights = Tensor(shape, [Float](repeating: 1, count: shape.count))
      value = try builder.add(
        .dense(Dense()), [value, builder.add(constant: weights, name: name + ".weight")],
        name: name)
    }
    try builder.addOutput(value, name: "y")
    return builder.graph
  }

  private func plan(
    _ graph: Graph, devices: Int = 2, sharding: Sharding? = nil,
    placements: (([LayerTraits]) throws -> [LayerPlacement])? = nil
  ) throws -> Plan {
    let sharding = try sharding ?? Sharding(graph)
    let traits = LayerTraits.all(of: sharding, graph: graph)
    let shares = [Double](repeating: 1, count: devices)
    return try Plan(
      model: .init(name: graph.name, sha256: "", preprocessing: nil, labels: []), method: "test",
      devices: (0..<devices).map { Plan.Device(name: "d\($0)") }, graph: graph,
      sharding: sharding,
      placements: try placements?(traits) ?? Placing.contiguous(traits, shares: shares))
  }

  /// Messages without headers, and no cost that is not in the profile.
  private func model(
    _ profile: DeviceProfile = .plain(), devices: Int = 2, links: [String] = [],
    broker: String? = nil
  ) throws -> CostModel {
    var assumptions = CostAssumptions(
      DeviceProfiles(all: profile, devices: devices),
      network: try NetworkSpeed(
        parsing: links, broker: broker, names: (0..<devices).map { "d\($0)" }))
    assumptions.constants.messageBytes = 0
    assumptions.constants.framing = 1
    assumptions.constants.stage = 0
    assumptions.constants.handling = 0
    assumptions.constants.packing = 0
    return CostModel(assumptions)
  }

  private func isClose(_ a: Double, _ b: Double) -> Bool {
    abs(a - b) <= 1e-9 * max(abs(a), abs(b))
  }

  @Test("a plan that can be reckoned by hand")
  func byHand() throws {
    let plan = try plan(try dense())
    // The devices have a megabyte a second in each direction.
    let prediction = try model(links: ["8mbit", "client=none"]).predict(plan: plan)
    // Input 4000 B, 200,000 operations, 800 B up and down, 2000 operations, 20 B up.
    #expect(isClose(prediction.latency, 4e-3 + 2e-3 + 0.8e-3 + 0.8e-3 + 0.02e-3 + 0.02e-3))
    for device in prediction.devices {
      #expect(isClose(device.computing, 2.02e-3) && isClose(device.processor, 2.02e-3))
      #expect(device.bytesSent == 820 && device.bytesReceived == 4800)
    }
    #expect(prediction.client.bytesSent == 4000 && prediction.client.bytesReceived == 40)
    #expect(prediction.brokerBytesReceived == 4000 + 1600 + 40)
    #expect(prediction.brokerBytesSent == 8000 + 1600 + 40)
    #expect(isClose(prediction.framesPerSecond, 1 / 4.8e-3))
    #expect([.link(0), .link(1)].contains(prediction.narrowest))
    #expect(prediction.exchanges == 1)
    // Weights of half of each layer, and what is computed.
    let weights = 4 * (200 * 1000 + 5 * 400)
    #expect(prediction.memoryBytes >= weights && prediction.memoryBytes < weights + 20_000)
  }

  @Test("latencies add up along the way, and shares of a core stretch computing")
  func latencies() throws {
    let plan = try plan(try dense())
    let near = try model(links: ["8mbit", "client=none"]).predict(plan: plan)
    let far = try model(links: ["8mbit,1ms", "client=none"]).predict(plan: plan)
    // One way in, two between devices, one out.
    #expect(isClose(far.latency, near.latency + 4e-3))
    #expect(isClose(far.framesPerSecond, near.framesPerSecond))
    let slow = try model(.plain(share: 0.25), links: ["8mbit", "client=none"]).predict(plan: plan)
    #expect(isClose(slow.latency, near.latency + 3 * 2.02e-3))
    #expect(slow.narrowest == .processor(0) || slow.narrowest == .processor(1))
  }

  @Test("half the bytes of an element are half the bytes of parts, and of inputs if they say so")
  func elements() throws {
    let plan = try plan(try dense())
    var assumptions = try model().assumptions
    assumptions.elementBytes = 2
    assumptions.inputElementBytes = 1
    let prediction = CostModel(assumptions).predict(plan: plan)
    #expect(prediction.devices[0].bytesSent == 410)
    #expect(prediction.devices[0].bytesReceived == 1000 + 400)
  }

  @Test("messages take time at both ends and at the broker, once for each that comes or goes")
  func messages() throws {
    let costs = DeviceProfile.Messages(
      endpoint: .init(message: 1e-3, byte: 0), broker: .init(message: 1e-2, byte: 0), delay: 0.1)
    let plan = try plan(try dense())
    let prediction = try model(.plain(messages: costs)).predict(plan: plan)
    // Three messages behind one another, each sent, received, and 100 ms on its way.
    #expect(prediction.latency > 3 * (2e-3 + 2e-2 + 0.1))
    // In: one input and four parts. Out: two inputs, two parts to devices, two to the client.
    #expect(isClose(prediction.framesPerSecond, 1 / (11 * 1e-2)))
    #expect(prediction.narrowest == .broker)
    #expect(isClose(prediction.client.processor, 3e-3))
    #expect(isClose(prediction.devices[0].processor, 2.02e-3 + 4e-3))
  }

  @Test("one device alone takes the whole model's time on the fastest")
  func alone() throws {
    let graph = try dense()
    var profiles = DeviceProfiles(all: .plain(), devices: 2)
    profiles.devices[1] = .plain(operations: 2e8)
    let assumptions = CostAssumptions(
      profiles, network: try NetworkSpeed(parsing: [], broker: nil, names: ["d0", "d1"]))
    let alone = CostModel(assumptions).predictAlone(plan: try plan(graph))
    #expect(alone.device == 1)
    #expect(isClose(alone.latency, 404_000 / 2e8))
    #expect(isClose(alone.framesPerSecond, 2e8 / 404_000))
  }

  @Test("nothing that gets slower makes frames faster", arguments: 0..<12)
  func monotonic(seed: Int) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    let devices = 1 + seed % 4
    let plan = try plan(graph, devices: devices)
    let rates = ["none", "1gbit", "100mbit", "10mbit", "1mbit", "100kbit"]
    func predictions(_ models: [CostModel]) -> [CostPrediction] {
      models.map { $0.predict(plan: plan) }
    }
    let profile = DeviceProfile.plain(operations: 1e7, messages: .usual)
    let series = [
      predictions(try rates.map { try model(profile, devices: devices, links: [$0]) }),
      predictions(try rates.map { try model(profile, devices: devices, broker: $0) }),
      predictions(
        try ["0us", "50us", "1ms", "20ms"].map {
          try model(profile, devices: devices, links: ["10mbit," + $0])
        }),
      predictions(
        try [1, 0.5, 0.1].map {
          try model(
            .plain(operations: 1e7, share: $0, messages: .usual), devices: devices,
            links: ["100mbit"])
        }),
    ]
    for predictions in series {
      for (fast, slow) in zip(predictions, predictions.dropFirst()) {
        // A message that comes a little later may find a processor that has begun with what matters
        // more.
        #expect(slow.latency >= fast.latency * 0.98, "seed \(seed)")
        #expect(slow.framesPerSecond <= fast.framesPerSecond * (1 + 1e-9), "seed \(seed)")
        #expect(slow.brokerBytes == fast.brokerBytes)
      }
    }
  }

  @Test("what is gathered is what devices are said to receive", arguments: 0..<12, [false, true])
  func traffic(seed: Int, byRows: Bool) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    let strips = byRows ? StripFront(graph).strips(end: graph.nodes.count) : nil
    let plan = try plan(graph, devices: 3, sharding: try Sharding(graph, strips: strips))
    let prediction = try model(devices: 3).predict(plan: plan)
    for device in 0..<3 {
      let cost = plan.cost(of: device)
      #expect(prediction.devices[device].bytesReceived == Double(cost.bytesReceived))
      // What nobody gathers is not sent.
      #expect(prediction.devices[device].bytesSent <= Double(cost.bytesSent))
    }
    let sent = prediction.devices.reduce(prediction.client.bytesSent) { $0 + $1.bytesSent }
    #expect(prediction.brokerBytesReceived == sent)
    #expect(prediction.latency > 0 && prediction.latency.isFinite)
    let left = try model(devices: 3).predict(
      plan: plan, attendance: Attendance(alive: [true, false, true]))
    #expect(left.latency > 0 && left.latency.isFinite && left.devices[1].bytesSent == 0)
  }

  @Test("and so it is with pairs of layers", arguments: 0..<12)
  func pairTraffic(seed: Int) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    let sharding = try Sharding(graph, pairs: Sharding.everyPair(of: graph))
    let plan = try plan(graph, devices: 3, sharding: sharding)
    let prediction = try model(devices: 3).predict(plan: plan)
    for device in 0..<3 {
      let cost = plan.cost(of: device)
      #expect(prediction.devices[device].bytesReceived == Double(cost.bytesReceived))
      #expect(prediction.devices[device].bytesSent <= Double(cost.bytesSent))
    }
    #expect(prediction.latency > 0 && prediction.latency.isFinite)
  }

  @Test("with a device lost others compute what they hold copies of, and nobody waits for it")
  func losses() throws {
    let graph = try dense()
    let model = try model(links: ["8mbit", "client=none"])
    let single = try plan(graph)
    #expect(single.largestLostShare == 0.5)
    let left = model.predict(plan: single, attendance: Attendance(alive: [true, false]))
    #expect(left.devices[1].computing == 0 && left.devices[1].bytesReceived == 0)
    #expect(isClose(left.latency, 4e-3 + 2e-3 + 0.02e-3 + 0.02e-3))
    let copied = try plan(graph) { traits in
      Placing.copies(traits, shares: [1, 1], tolerating: 1)
    }
    #expect(copied.largestLostShare == 0)
    let both = model.predict(plan: copied)
    let one = model.predict(plan: copied, attendance: Attendance(alive: [true, false]))
    // Own units and those of the other are two blocks, which are put side by side.
    #expect((4.04e-3...4.06e-3).contains(one.devices[0].computing))
    #expect(isClose(both.devices[0].computing, 2.02e-3))
    // The copies are there before they are needed.
    #expect(both.memoryBytes >= 4 * (400 * 1000 + 10 * 400))
    #expect(model.predictLoss(plan: copied)?.latency == one.latency)
    #expect(model.predictLoss(plan: try plan(graph, devices: 1)) == nil)
  }

  @Test("of whole frames each goes to one device, and the devices' rates add up")
  func wholeFrames() throws {
    let graph = try dense()
    let block = Sharding.NodeBlock(name: "whole", nodes: Array(graph.nodes.indices))
    let plan = try plan(graph, devices: 3, sharding: try Sharding(graph, blocks: [block])) { _ in
      [LayerPlacement(holders: [[0, 1, 2]])]
    }
    #expect(plan.dispatchesFrames)
    let prediction = try model(devices: 3, links: ["80mbit", "client=none"]).predict(plan: plan)
    // 4000 B in, all operations, 40 B out, at ten megabytes a second.
    #expect(isClose(prediction.latency, 0.4e-3 + 4.04e-3 + 4e-6))
    #expect(isClose(prediction.framesPerSecond, 3 / 4.04e-3))
    #expect(prediction.devices.allSatisfy { isClose($0.computing, 4.04e-3) })
    let shared = try model(devices: 3, links: ["80mbit", "client=none"], broker: "8mbit")
      .predict(plan: plan)
    // What leaves the broker is the input to the device and the answer to the client.
    #expect(isClose(shared.framesPerSecond, 1 / 4.04e-3))
    #expect(shared.narrowest == .brokerLink)
  }

  @Test("a plan in a row is one stage after the other")
  func vertical() throws {
    let graph = try dense()
    let blocks = graph.nodes.indices.map { Sharding.NodeBlock(name: "b\($0)", nodes: [$0]) }
    let plan = try plan(graph, sharding: try Sharding(graph, blocks: blocks)) { _ in
      [LayerPlacement(holders: [[0]]), LayerPlacement(holders: [[1]])]
    }
    #expect(!plan.dispatchesFrames)
    let prediction = try model().predict(plan: plan)
    #expect(isClose(prediction.latency, 404_000 / 1e8))
    #expect(isClose(prediction.framesPerSecond, 1e8 / 400_000))
    #expect(prediction.narrowest == .processor(0))
  }
}
