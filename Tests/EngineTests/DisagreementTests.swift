import Engine
import Foundations
import Plan
import Planning
import Tensors
import TestSupport
import Testing
import WireProtocol

/// Parts that reach some devices and not others: the answer says who lacked what, so exactly
/// that it can be computed again to the bit.
@Suite struct DisagreementTests {
  @Test func anAnswerSaysWhoLackedAPart() throws {
    try simulate { simulation in
      let input = simulation.model.input(1)
      try simulation.send(1, input: input)
      for device in 0..<3 { try simulation.work(device) }
      // The first part of d2 reaches d0 but not d1, and then d1 dies with its last part unsent: what
      // d1 lacked is known from d0 and d2 alone, who used what d1 computed.
      var first = simulation.network
      simulation.network = []
      first.sort { $0.sender < $1.sender }
      for message in first {
        simulation.deliver(message) { !(message.sender == 2 && $0 == 1) }
      }
      simulation.advance(milliseconds: 250)
      try simulation.work(1)
      #expect(simulation.network.map(\.exchange) == [1])
      simulation.dead = [1]
      try simulation.settle()
      simulation.announce(1, .lost)
      let outcome = try #require(simulation.answer())
      let expected: Set<FillReport.Lack> = [
        .init(exchange: 0, device: 2, receiver: 1, reason: .deadline),
        .init(exchange: 2, device: 1, receiver: 3, reason: .lost),
      ]
      #expect(outcome.fills.fills == expected)
      try check(outcome, input, simulation, "")
    }
  }

  enum Method: String, CaseIterable, Sendable {
    case once, replicate, coded

    func place(_ layers: [LayerTraits]) throws -> [LayerPlacement] {
      let shares = [1.0, 1.0, 1.0, 1.0]
      switch self {
      case .once: return try Placing.clustered(scored(layers), devices: 4, thresholds: [0, 1, 3])
      case .replicate: return Placing.replicate(layers, shares: shares)
      case .coded: return try Placing.coded(layers, shares: shares, tolerating: 1)
      }
    }

    private func scored(_ layers: [LayerTraits]) throws -> [ScoredLayer] {
      try layers.map { layer in
        try ScoredLayer(
          traits: layer, points: (0..<layer.neurons).map { [Double($0 % 5), Double($0 % 3)] })
      }
    }
  }

  @Test(arguments: Method.allCases, 1...5 as ClosedRange<UInt64>)
  func anyAnswerCanBeRepeatedToTheBit(_ method: Method, _ seed: UInt64) throws {
    for replicas in Replicas.allCases { try repeatAnswers(method, seed, replicas) }
  }

  private func repeatAnswers(
    _ method: Method, _ seed: UInt64, _ replicas: Replicas
  ) throws {
    var random = SeededGenerator(seed)
    try TinyModel.with(devices: 4, placing: method.place) { model in
      let simulation = Simulation(model, replicas: replicas)
      simulation.announceAll()
      var degraded = 0
      for frame in 1...15 as ClosedRange<UInt64> {
        let note: Comment = "\(method), \(replicas), seed \(seed), frame \(frame)"
        let loss = Double.random(in: 0...0.4, using: &random)
        let input = model.input(Int(frame))
        try simulation.send(frame, input: input)
        let victim = Int.random(in: 0..<20, using: &random)
        var outcome: ClientCore.Outcome?
        for turn in 0..<25 where outcome == nil {
          for device in simulation.workers.indices.shuffled(using: &random) {
            try simulation.work(device)
          }
          if turn == 1, victim < 4, simulation.dead.isEmpty {
            simulation.dead = [victim]
            if Bool.random(using: &random) { simulation.announce(victim, .lost) }
          }
          let messages = simulation.network.shuffled(using: &random)
          simulation.network = []
          for message in messages {
            simulation.deliver(message) { _ in Double.random(in: 0..<1, using: &random) >= loss }
          }
          outcome = simulation.answer()
          simulation.advance(milliseconds: 60)
        }
        // Everybody's part to the client may have been lost; then it ends in a later turn.
        guard let outcome else { continue }
        if !outcome.fills.isEmpty { degraded += 1 }
        try check(outcome, model.input(Int(outcome.key.frame)), simulation, note)
        simulation.client.recycle(outcome)
        if Bool.random(using: &random) {
          for device in simulation.dead { simulation.epochs[device] += 1 }
          simulation.dead = []
        }
        for device in simulation.workers.indices where !simulation.dead.contains(device) {
          simulation.announce(device)
        }
      }
      #expect(degraded > 3)
    }
  }

  private func check(
    _ outcome: ClientCore.Outcome, _ input: Tensor, _ simulation: Simulation, _ note: Comment
  ) throws {
    let model = simulation.model
    let expected = try LocalCluster(devices: model.engines, client: model.client).run(
      [input], attendance: outcome.roles, report: outcome.fills)
    let outputs = simulation.outputs(outcome)
    #expect(outputs == expected, note)
    #expect(outputs[0].floats?.allSatisfy(\.isFinite) == true, note)
  }
}
