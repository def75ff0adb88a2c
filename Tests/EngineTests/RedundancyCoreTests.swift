import Engine
import Foundations
import Plan
import Planning
import Tensors
import TestSupport
import Testing
import WireProtocol

/// Devices that stand in for each other, with messages and time in the test's hands.
@Suite struct RedundancyCoreTests {
  private static let shares = [1.0, 1.0, 1.0]

  private func simulate(
    _ placing: @escaping ([LayerTraits]) throws -> [LayerPlacement],
    replicas: Replicas = .standby, _ body: (Simulation) throws -> Void
  ) throws {
    try TinyModel.with(placing: placing) { model in
      let simulation = Simulation(model, replicas: replicas)
      simulation.announceAll()
      try body(simulation)
    }
  }

  private func run(_ simulation: Simulation, frame: UInt64) throws -> ([Float], Int) {
    try simulation.send(frame, input: simulation.model.input(Int(frame)))
    try simulation.settle()
    let outcome = try #require(simulation.answer())
    let values = outcome.engine.outputs(of: outcome.execution)[0].floats ?? []
    defer { simulation.client.recycle(outcome) }
    return (values, outcome.fills.fills.count)
  }

  private static var methods: [(String, ([LayerTraits]) throws -> [LayerPlacement])] {
    [
      ("coded", { try Placing.coded($0, shares: shares, tolerating: 1) }),
      ("copies", { Placing.copies($0, shares: shares, tolerating: 1) }),
      ("parity device", { try Placing.parityDevice($0, shares: shares) }),
    ]
  }

  @Test("a lost device costs nothing from the next frame on, and comes back", arguments: 0..<3)
  func standIn(method: Int) throws {
    let (name, placing) = Self.methods[method]
    try simulate(placing) { simulation in
      for lost in 0..<3 {
        let number = UInt64(lost) * 3 + 1
        let (whole, fills) = try run(simulation, frame: number)
        #expect(fills == 0, "\(name)")
        let expected = try simulation.model.expected(simulation.model.input(Int(number)))
        #expect(whole == expected[0].floats, "\(name)")
        simulation.dead.insert(lost)
        simulation.announce(lost, .lost)
        let alive = (0..<3).map { $0 != lost }
        let (answer, missing) = try run(simulation, frame: number + 1)
        #expect(missing == 0, "\(name) without \(lost)")
        let input = simulation.model.input(Int(number + 1))
        let local = try simulation.model.expected(input, alive: alive)
        #expect(answer == local[0].floats, "\(name) without \(lost)")
        let reference = try simulation.model.whole(input)[0].floats ?? []
        let error = zip(answer, reference).map { abs($0 - $1) }.max() ?? 1
        #expect(error < 1e-4, "\(name) without \(lost)")
        simulation.dead.remove(lost)
        simulation.epochs[lost] += 1
        simulation.announce(lost)
      }
    }
  }

  /// Sends a frame of which a device's parts never arrive, although everybody counts on it.
  private func runWithout(
    _ lost: Int, _ simulation: Simulation, frame: UInt64
  ) throws -> (ClientCore.Outcome, milliseconds: Int) {
    try simulation.send(frame, input: simulation.model.input(Int(frame)))
    for elapsed in 0..<2000 {
      try simulation.settle { $0.sender != lost }
      if let outcome = simulation.answer() { return (outcome, elapsed) }
      simulation.advance(milliseconds: 1)
    }
    throw MartletError(.timedOut, "no answer")
  }

  @Test("with active replicas not even the frame in which a device dies is hurt", arguments: 0..<3)
  func activeReplicas(method: Int) throws {
    let (name, placing) = Self.methods[method]
    for lost in 0..<3 {
      try simulate(placing, replicas: .active) { simulation in
        let (whole, fills) = try run(simulation, frame: 1)
        let expected = try simulation.model.expected(simulation.model.input(1))
        #expect(fills == 0 && whole == expected[0].floats, "\(name)")
        let (outcome, elapsed) = try runWithout(lost, simulation, frame: 2)
        #expect(elapsed == 250, "\(name) without \(lost): one deadline")
        #expect(outcome.fills.fills.isEmpty, "\(name) without \(lost)")
        let covered = Set(outcome.fills.all.map(\.device))
        #expect(covered == [lost], "\(name) without \(lost)")
        let alive = (0..<3).map { $0 != lost }
        let local = try simulation.model.expected(simulation.model.input(2), alive: alive)
        #expect(simulation.outputs(outcome) == local, "\(name) without \(lost)")
        simulation.client.recycle(outcome)
        // From then on it is known, and costs nothing.
        for device in 0..<3 { simulation.beat(device) }
        let (next, delay) = try runWithout(lost, simulation, frame: 3)
        #expect(delay == 0 && next.fills.fills.isEmpty, "\(name) without \(lost)")
        #expect(next.roles.text == "active," + (0..<3).map { $0 == lost ? "p" : "a" }.joined())
        let later = try simulation.model.expected(simulation.model.input(3), alive: alive)
        #expect(simulation.outputs(next) == later, "\(name) without \(lost)")
      }
    }
  }

  /// Where others stand in for everything it holds, a suspect device still shows that it is back.
  @Test("a device that was suspected returns by its own parts", arguments: 0..<3)
  func probing(method: Int) throws {
    let (name, placing) = Self.methods[method]
    // While all are there nobody waits for a parity device.
    for lost in 0..<(name == "parity device" ? 2 : 3) {
      try simulate(placing) { simulation in
        _ = try run(simulation, frame: 1)
        let (outcome, _) = try runWithout(lost, simulation, frame: 2)
        simulation.client.recycle(outcome)
        for device in 0..<3 { simulation.beat(device) }
        let roles = (0..<3).map { $0 == lost ? "p" : "a" }.joined()
        #expect(simulation.client.roles(now: simulation.now).text == roles, "\(name)")
        let (_, fills) = try run(simulation, frame: 3)
        #expect(fills == 0, "\(name) with \(lost) on probation")
        #expect(simulation.client.roles(now: simulation.now).text == "aaa", "\(name) \(lost)")
        let (values, missing) = try run(simulation, frame: 4)
        let expected = try simulation.model.expected(simulation.model.input(4))
        #expect(missing == 0 && values == expected[0].floats, "\(name) \(lost)")
        // Nobody counted its parts as a nuisance.
        #expect(simulation.client.drops.totals.isEmpty, "\(name) \(lost)")
      }
    }
  }

  @Test("a device that dies in the middle of a decoded frame leaves zeros, not garbage")
  func secondLoss() throws {
    try simulate({ try Placing.coded($0, shares: Self.shares, tolerating: 1) }) { simulation in
      simulation.dead.insert(0)
      simulation.announce(0, .lost)
      try simulation.send(1, input: simulation.model.input(1))
      // Nothing of device 1 arrives any more: each of the three exchanges waits for its deadline.
      var answer: ClientCore.Outcome?
      for _ in 0..<20 where answer == nil {
        try simulation.settle { $0.sender != 1 }
        answer = simulation.answer()
        simulation.advance(milliseconds: 300)
      }
      let outcome = try #require(answer)
      let values = outcome.engine.outputs(of: outcome.execution)[0].floats ?? []
      let isFinite = values.allSatisfy(\.isFinite)
      #expect(isFinite)
      #expect(!outcome.fills.fills.isEmpty)
    }
  }
}
