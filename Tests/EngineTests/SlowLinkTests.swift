import Engine
import Foundations
import TestSupport
import Testing
import WireProtocol

/// Links over which a part takes longer than any deadline: slow is not gone.
@Suite struct SlowLinkTests {
  /// Four devices that have parts of at most two elements, each of which travels as a piece of some 600
  /// bytes.
  private func simulate(
    rate: Int, _ body: (Simulation, SlowLinks) throws -> Void
  ) throws {
    try TinyModel.with(devices: 4) { model in
      let simulation = Simulation(model, deadline: .standard)
      simulation.announceAll()
      try body(simulation, SlowLinks(simulation, rate: rate))
    }
  }

  /// At 600 bytes a second a device takes a second for each piece, and the six of an exchange come to it one
  /// after the other.
  @Test(arguments: [600, 2000, 20_000]) func slowIsNotGone(rate: Int) throws {
    try simulate(rate: rate) { simulation, links in
      for frame in 1...3 as ClosedRange<UInt64> {
        let input = simulation.model.input(Int(frame))
        try simulation.send(frame, input: input, oldest: frame)
        let (outcome, milliseconds) = try #require(try links.answer(patience: 120_000))
        #expect(outcome.fills.isEmpty, "frame \(frame): \(outcome.fills.fills)")
        #expect(outcome.key.frame == frame)
        #expect(simulation.outputs(outcome) == (try simulation.model.expected(input)))
        if rate == 600 { #expect(milliseconds > 5_000) }
        #expect(simulation.client.states(now: simulation.now) == Array(repeating: .alive, count: 4))
        for (number, worker) in simulation.workers.enumerated() {
          #expect(worker.counters.fills.isEmpty, "device \(number): \(worker.counters.fills)")
        }
      }
    }
  }

  /// Its heartbeats stop with its parts. Nobody hears them late, but devices say that they might be.
  @Test func aLinkThatStandsStillForAMomentIsWaitedFor() throws {
    try simulate(rate: 2000) { simulation, links in
      let input = simulation.model.input(1)
      try simulation.send(1, input: input, oldest: 1)
      var hasStalled = false
      let (outcome, _) = try #require(
        try links.answer(patience: 120_000) { _ in
          guard !hasStalled, links.isSending(2) else { return }
          hasStalled = true
          links.stall(2, milliseconds: 1200)
        })
      #expect(hasStalled && outcome.fills.isEmpty, "\(outcome.fills.fills)")
      #expect(simulation.outputs(outcome) == (try simulation.model.expected(input)))
      #expect(simulation.client.states(now: simulation.now) == Array(repeating: .alive, count: 4))
    }
  }

  /// In the middle of its part, with nobody to say so.
  @Test(arguments: [600, 2000]) func aDeathIsFoundInBoundedTime(rate: Int) throws {
    try simulate(rate: rate) { simulation, links in
      try simulation.send(1, input: simulation.model.input(1), oldest: 1)
      _ = try #require(try links.answer(patience: 120_000))
      try simulation.send(2, input: simulation.model.input(2), oldest: 2)
      var death: Int?
      let (outcome, milliseconds) = try #require(
        try links.answer(patience: 240_000) { elapsed in
          if death == nil, links.isSending(2) {
            death = elapsed
            links.kill(2)
          }
        })
      #expect(death != nil)
      #expect(Set(outcome.fills.fills.map(\.device)) == [2], "\(outcome.fills.fills)")
      #expect(milliseconds < 90_000, "\(milliseconds) ms")
      #expect(simulation.client.states(now: simulation.now)[2] != .alive)
    }
  }

  /// A will ends the waiting at once, whatever moves.
  @Test func aWillIsBelieved() throws {
    try simulate(rate: 2000) { simulation, links in
      try simulation.send(1, input: simulation.model.input(1), oldest: 1)
      let (outcome, _) = try #require(
        try links.answer(patience: 120_000) { elapsed in
          guard elapsed == 100 else { return }
          links.kill(2)
          simulation.announce(2, .lost)
        })
      #expect(Set(outcome.fills.fills.map(\.device)) == [2])
      #expect(Set(outcome.fills.fills.map(\.reason)) == [.lost])
    }
  }

  /// The devices serve somebody else, whose tensors move for ever, and have lost this client's frame.
  @Test func whatMovesForOthersIsNotWaitedForForEver() throws {
    try TinyModel.with { model in
      let simulation = Simulation(model, deadline: .standard)
      simulation.promise = 100
      simulation.moved = [0: 0, 1: 0, 2: 0]
      simulation.announceAll()
      try simulation.send(1, input: model.input(1), to: [], oldest: 1)
      var end: Int?
      for elapsed in 0..<600 where end == nil {
        for device in 0..<3 {
          simulation.moved[device]? += 5000
          simulation.beat(device)
        }
        if let outcome = simulation.answer() {
          #expect(!outcome.hasParts)
          simulation.client.recycle(outcome)
          end = elapsed
        }
        simulation.advance(milliseconds: 100)
      }
      // Five seconds are the limit without any movement, and what one frame takes is soon exceeded.
      #expect((50..<100).contains(try #require(end)))
    }
  }

  /// As long as it may be for this frame, it is.
  @Test func aClientWaitsWhileDevicesSayThatTensorsMove() throws {
    try TinyModel.with { model in
      let simulation = Simulation(model, deadline: .standard)
      simulation.promise = 100
      simulation.moved = [0: 0, 1: 0, 2: 0]
      simulation.announceAll()
      try simulation.send(1, input: model.input(1), to: [], oldest: 1)
      var end: Int?
      for elapsed in 0..<600 where end == nil {
        // A hundred bytes in all, over twenty seconds.
        if elapsed % 20 == 0, elapsed < 200 { simulation.moved[1]? += 10 }
        for device in 0..<3 { simulation.beat(device) }
        if let outcome = simulation.answer() {
          simulation.client.recycle(outcome)
          end = elapsed
        }
        simulation.advance(milliseconds: 100)
      }
      // The last movement is at 18 s.
      #expect((228...232).contains(try #require(end)))
    }
  }
}
