import Engine
import Foundations
import Plan
import Planning
import Tensors
import TestSupport
import Testing
import WireProtocol

/// Runs `body` with three workers and a client that have heard of each other.
func simulate(
  limits: (inout WorkerCore.Limits) -> Void = { _ in }, _ body: (Simulation) throws -> Void
) throws {
  try TinyModel.with { model in
    let simulation = Simulation(model, limits: limits)
    simulation.announceAll()
    try body(simulation)
  }
}

/// Workers and client without sockets: the test delivers every message and sets the clock.
@Suite struct CoreTests {
  @Test func withAllPartsTheAnswerIsExact() throws {
    try simulate { simulation in
      for frame in 1...5 as ClosedRange<UInt64> {
        let input = simulation.model.input(Int(frame))
        try simulation.send(frame, input: input)
        try simulation.settle()
        let outcome = try #require(simulation.answer())
        #expect(try simulation.outputs(outcome) == simulation.model.expected(input))
        #expect(outcome.key == FrameKey(client: "cam", frame: frame))
        #expect(outcome.fills == FillReport())
        #expect(outcome.hasParts)
        simulation.client.recycle(outcome)
      }
      for worker in simulation.workers {
        #expect(worker.counters.framesFinished == 5)
        #expect(worker.queueLength == 0)
        #expect(worker.drops.totals.isEmpty)
      }
      #expect(simulation.client.drops.totals.isEmpty)
    }
  }

  /// With more devices than neurons some devices have nothing of a layer, or nothing at all.
  @Test(arguments: [1, 2, 5, 9, 16], PartitionMethod.allCases)
  func anyNumberOfDevicesGivesTheModelsAnswer(_ devices: Int, _ method: PartitionMethod) throws {
    try TinyModel.with(devices: devices, method: method) { model in
      let simulation = Simulation(model)
      simulation.announceAll()
      let input = model.input(1)
      try simulation.send(1, input: input)
      try simulation.settle()
      let outcome = try #require(simulation.answer())
      #expect(outcome.fills == FillReport())
      let outputs = simulation.outputs(outcome)
      #expect(try outputs == model.expected(input))
      let whole = try model.whole(input)
      for (value, exact) in zip(outputs[0].floats ?? [], whole[0].floats ?? []) {
        #expect(abs(value - exact) <= 1e-5 * max(1, abs(exact)))
      }
      #expect(outputs[0].shape == whole[0].shape)
    }
  }

  /// Whatever the order in which parts arrive, also of several frames at once.
  @Test(arguments: 1...20)
  func theOrderOfMessagesDoesNotMatter(_ seed: UInt64) throws {
    try simulate { simulation in
      var random = SeededGenerator(seed)
      for frame in 1...3 as ClosedRange<UInt64> {
        try simulation.send(frame, input: simulation.model.input(Int(frame)))
      }
      for device in 0..<3 { try simulation.work(device) }
      while !simulation.network.isEmpty {
        let message = simulation.network.remove(
          at: Int.random(in: 0..<simulation.network.count, using: &random))
        simulation.deliver(message)
        try simulation.work(Int.random(in: 0..<3, using: &random))
        if simulation.network.isEmpty { for device in 0..<3 { try simulation.work(device) } }
      }
      var frames: Set<UInt64> = []
      while let outcome = simulation.answer() {
        frames.insert(outcome.key.frame)
        let input = simulation.model.input(Int(outcome.key.frame))
        #expect(try simulation.outputs(outcome) == simulation.model.expected(input), "seed \(seed)")
        #expect(outcome.fills == FillReport(), "seed \(seed)")
        simulation.client.recycle(outcome)
      }
      #expect(frames == [1, 2, 3], "seed \(seed)")
    }
  }

  @Test func aMissingPartIsZeroAfterTheDeadline() throws {
    try simulate { simulation in
      let input = simulation.model.input(1)
      try simulation.send(1, input: input, to: [0, 1])
      try simulation.settle()
      #expect(simulation.answer() == nil)
      simulation.advance(milliseconds: 249)
      try simulation.settle()
      #expect(simulation.workers[0].counters.fills.isEmpty)
      simulation.advance(milliseconds: 1)
      try simulation.settle()
      // The first exchange timed out; in the later ones nobody waits for d2 again.
      #expect(simulation.workers[0].counters.fills == ["deadline": 1, "suspect": 1])
      // The parts say so, and the client does not wait for it a second time.
      let outcome = try #require(simulation.answer())
      #expect(
        try simulation.outputs(outcome)
          == simulation.model.expected(input, alive: [true, true, false]))
      let expected: Set<FillReport.Lack> = [
        .init(exchange: 0, device: 2, receiver: 0, reason: .deadline),
        .init(exchange: 0, device: 2, receiver: 1, reason: .deadline),
        .init(exchange: 1, device: 2, receiver: 0, reason: .suspect),
        .init(exchange: 1, device: 2, receiver: 1, reason: .suspect),
        .init(exchange: 2, device: 2, receiver: 3, reason: .suspect),
      ]
      #expect(outcome.fills.fills == expected)
      #expect(simulation.client.states(now: simulation.now) == [.alive, .alive, .suspect])
      // The next frame asks d2 to compute, but does not wait for it.
      #expect(simulation.client.roles(now: simulation.now).text == "aap")
    }
  }

  @Test func aSuspectThatDeliversIsTrustedAgain() throws {
    try simulate { simulation in
      try simulation.send(1, input: simulation.model.input(1), to: [0, 1])
      try simulation.settle()
      #expect(simulation.answer() == nil)
      simulation.advance(milliseconds: 250)
      try simulation.settle()
      simulation.client.recycle(try #require(simulation.answer()))
      for device in 0..<3 { simulation.beat(device) }
      #expect(simulation.client.roles(now: simulation.now).text == "aap")
      try simulation.send(2, input: simulation.model.input(2))
      // The suspect is the quickest this time.
      try simulation.work(2)
      try simulation.settle()
      _ = simulation.answer().map(simulation.client.recycle)
      #expect(simulation.client.roles(now: simulation.now).text == "aaa")
      let input = simulation.model.input(3)
      try simulation.send(3, input: input)
      try simulation.settle()
      let outcome = try #require(simulation.answer())
      #expect(outcome.fills == FillReport())
      #expect(try simulation.outputs(outcome) == simulation.model.expected(input))
    }
  }

  @Test(arguments: [Presence.State.lost, .offline])
  func nobodyWaitsForALostDevice(_ state: Presence.State) throws {
    try simulate { simulation in
      simulation.dead = [1]
      simulation.announce(1, state)
      #expect(simulation.client.roles(now: simulation.now).text == "a-a")
      let input = simulation.model.input(1)
      try simulation.send(1, input: input)
      try simulation.settle()
      let outcome = try #require(simulation.answer())
      #expect(
        try simulation.outputs(outcome)
          == simulation.model.expected(input, alive: [true, false, true]))
      #expect(Set(outcome.fills.fills.map(\.reason)) == [.lost])
      #expect(Set(outcome.fills.fills.map(\.exchange)) == [0, 1, 2])
      #expect(Set(outcome.fills.fills.map(\.device)) == [1])
    }
  }

  @Test func aDeviceLostInTheMiddleEndsTheWaitAtOnce() throws {
    try simulate { simulation in
      let input = simulation.model.input(1)
      try simulation.send(1, input: input)
      // d1 sends its first part and dies.
      try simulation.work(1)
      simulation.dead = [1]
      try simulation.settle()
      #expect(simulation.answer() == nil)
      #expect(simulation.workers[0].queueLength == 1)
      simulation.announce(1, .lost)
      try simulation.settle()
      let outcome = try #require(simulation.answer())
      let expected: Set<FillReport.Lack> = [
        .init(exchange: 1, device: 1, receiver: 0, reason: .lost),
        .init(exchange: 1, device: 1, receiver: 2, reason: .lost),
        .init(exchange: 2, device: 1, receiver: 3, reason: .lost),
      ]
      #expect(outcome.fills.fills == expected)
      #expect(simulation.now == MonotonicTime(nanoseconds: 1_000_000_000))
    }
  }

  @Test func aDrainingDeviceFinishesItsFramesAndGetsNoMore() throws {
    try simulate { simulation in
      let input = simulation.model.input(1)
      try simulation.send(1, input: input)
      try simulation.work(1)
      simulation.announce(1, .draining)
      try simulation.settle()
      let outcome = try #require(simulation.answer())
      #expect(outcome.fills.fills.isEmpty)
      #expect(
        try simulation.outputs(outcome)
          == simulation.model.expected(input, alive: [true, true, true]))
      #expect(simulation.client.roles(now: simulation.now).text == "a-a")
    }
  }

  @Test func anAbsentDeviceDoesNotCompute() throws {
    try simulate { simulation in
      let input = try simulation.inputMessage(
        1, input: simulation.model.input(1), roles: "a-a")
      simulation.workers[1].input(input, client: "cam", now: simulation.now)
      try simulation.work(1)
      #expect(simulation.network.isEmpty)
      #expect(simulation.workers[1].counters.framesSkipped == 1)
      #expect(simulation.workers[1].counters.framesFinished == 0)
      // The others do not wait for it although they know it to be alive.
      for device in [0, 2] {
        simulation.workers[device].input(input, client: "cam", now: simulation.now)
      }
      try simulation.settle()
      #expect(simulation.workers[0].counters.framesFinished == 1)
      #expect(simulation.workers[0].counters.fills == ["lost": 2])
    }
  }

  @Test func aProbedDeviceComputesAndNobodyWaits() throws {
    try simulate { simulation in
      let input = try simulation.inputMessage(
        1, input: simulation.model.input(1), roles: "aap")
      for device in 0..<3 {
        simulation.workers[device].input(input, client: "cam", now: simulation.now)
      }
      try simulation.work(0)
      try simulation.work(1)
      let parts = simulation.network
      simulation.network = []
      for part in parts { simulation.deliver(part) }
      try simulation.work(0)
      #expect(simulation.network.map(\.exchange) == [1])
      try simulation.work(2)
      #expect(simulation.network.contains { $0.sender == 2 })
    }
  }

  // MARK: Early parts

  @Test func partsThatAreEarlyAreKept() throws {
    try simulate { simulation in
      let input = simulation.model.input(1)
      try simulation.send(1, input: input, to: [1, 2])
      // Both exchanges' parts of d1 and d2 reach d0 before the input does; d0's own part is forged.
      let other = Simulation(simulation.model)
      other.announceAll()
      try other.send(1, input: input)
      var sent: [Simulation.Message] = []
      try other.settle { message in
        sent.append(message)
        return true
      }
      for message in sent.reversed() where message.sender != 0 && message.exchange < 2 {
        simulation.workers[0].part(message.payload, on: message.topic, now: simulation.now)
      }
      try simulation.work(0)
      #expect(simulation.network.isEmpty)
      let payload = try simulation.inputMessage(1, input: input, roles: "aaa")
      simulation.workers[0].input(payload, client: "cam", now: simulation.now)
      try simulation.work(0)
      #expect(simulation.network.map(\.exchange) == [0, 1, 2])
      #expect(simulation.workers[0].counters.framesFinished == 1)
      #expect(simulation.workers[0].counters.fills.isEmpty)
      let mine = sent.filter { $0.sender == 0 }.map(\.payload)
      #expect(simulation.network.map(\.payload) == mine)
    }
  }

  @Test func framesTooFarAheadAreRefused() throws {
    try simulate(limits: { $0.framesAhead = 4 }) { simulation in
      func give(_ frame: UInt64) throws {
        let part = try simulation.part(exchange: 0, device: 1, frame: frame)
        simulation.workers[0].part(part.payload, on: part.topic, now: simulation.now)
      }
      try give(1)
      try give(4)
      #expect(simulation.workers[0].drops.totals.isEmpty)
      try give(5)
      #expect(simulation.workers[0].drops.totals == [.tooFarAhead: 1])
      try give(Epoch.maximum)
      #expect(simulation.workers[0].drops.totals == [.tooFarAhead: 2])
    }
  }

  @Test func earlyBytesAreBounded() throws {
    try simulate(limits: { $0.bytes = 8 }) { simulation in
      let part = try simulation.part(exchange: 0, device: 1, frame: 1)
      simulation.workers[0].part(part.payload, on: part.topic, now: simulation.now)
      simulation.workers[0].part(part.payload, on: part.topic, now: simulation.now)
      #expect(simulation.workers[0].drops.total(.noRoom) >= 1)
    }
  }
}
