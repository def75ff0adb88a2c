import Engine
import Plan
import Planning
import Tensors
import TestSupport
import Testing
import WireProtocol

/// Several frames, several clients, and devices that come and go.
@Suite struct CoreMembershipTests {
  @Test func aDeviceOnAnotherPlanIsLeftOut() throws {
    try simulate { simulation in
      func describe(_ plan: String) -> String? {
        simulation.client.description(
          DeviceDescription(
            version: "1", methods: [], plan: plan, parts: [],
            hardware: .init(architecture: "arm64", cores: 1, memoryBytes: 1, system: "Linux")),
          of: "d1")
      }
      #expect(describe("another") == "another")
      #expect(describe("another") == nil)
      #expect(simulation.client.roles(now: simulation.now).text == "a-a")
      #expect(describe(simulation.client.planID) == nil)
      #expect(simulation.client.roles(now: simulation.now).text == "aaa")
    }
  }

  /// A frame that was sent while nobody was there may be lost: it ends one deadline after somebody is
  /// back, not at the frame limit, and nobody is to blame.
  @Test func aFrameThatMayBeLostIsNotWaitedForLong() throws {
    try simulate { simulation in
      #expect(simulation.answer() == nil)
      simulation.client.disconnected()
      #expect(simulation.client.roles(now: simulation.now).text == "aaa")
      try simulation.send(1, input: simulation.model.input(1), to: [])
      #expect(simulation.answer() == nil)
      simulation.advance(milliseconds: 400)
      simulation.beat(0)
      #expect(simulation.answer() == nil)
      simulation.advance(milliseconds: 249)
      #expect(simulation.answer() == nil)
      simulation.advance(milliseconds: 1)
      let lost = try #require(simulation.answer())
      #expect(lost.key.frame == 1 && !lost.hasParts)
      simulation.client.recycle(lost)
      for device in 1...2 { simulation.beat(device) }
      #expect(simulation.client.roles(now: simulation.now).text == "aaa")
      // Whoever answers is waited for as ever.
      let input = simulation.model.input(3)
      try simulation.send(3, input: input)
      try simulation.settle()
      let outcome = try #require(simulation.answer())
      #expect(outcome.key.frame == 3 && outcome.fills == FillReport())
      #expect(try simulation.outputs(outcome) == simulation.model.expected(input))
    }
  }

  /// With its last part out, a frame is done, though the client says next that it waits no longer.
  @Test func aFrameComputedToItsEndIsNotDropped() throws {
    try simulate { simulation in
      let worker = simulation.workers[0]
      let roles = Attendance([.awaited, .absent, .absent])
      func give(_ frame: UInt64) throws {
        let payload = try simulation.inputMessage(
          frame, input: simulation.model.input(1),
          roles: InputNote(attendance: roles, oldest: frame).text)
        worker.input(payload, client: "cam", now: simulation.now)
      }
      try give(1)
      var sent: [Int] = []
      let last = simulation.model.folder.plan.exchanges.count - 1
      while !sent.contains(last) {
        let idle = worker.work(clock: { simulation.now }) { _, exchange, _, _, _ in
          sent.append(exchange)
        }
        try #require(idle == nil)
      }
      try give(2)
      #expect(worker.counters.framesFinished == 1 && worker.counters.framesDropped == 0)
      // The next one has not begun and is dropped.
      try give(3)
      #expect(worker.counters.framesFinished == 1 && worker.counters.framesDropped == 1)
    }
  }

  @Test func framesAreFinishedInOrder() throws {
    try simulate(limits: { $0.framesInFlight = 2 }) { simulation in
      for frame in 1...6 as ClosedRange<UInt64> {
        try simulation.send(frame, input: simulation.model.input(Int(frame)))
      }
      try simulation.settle()
      var frames: [UInt64] = []
      while let outcome = simulation.answer() {
        frames.append(outcome.key.frame)
        simulation.client.recycle(outcome)
      }
      #expect(frames == [1, 2, 3, 4, 5, 6])
      #expect(simulation.workers.allSatisfy { $0.counters.lastFrame == 6 })
    }
  }

  @Test func tooManyWaitingFramesDropTheOldest() throws {
    try simulate(limits: {
      $0.framesInFlight = 1
      $0.pendingFrames = 3
    }) { simulation in
      let worker = simulation.workers[0]
      for frame in 1...6 as ClosedRange<UInt64> {
        let payload = try simulation.inputMessage(
          frame, input: simulation.model.input(1), roles: "a--")
        worker.input(payload, client: "cam", now: simulation.now)
      }
      #expect(worker.queueLength == 3)
      #expect(worker.counters.framesDropped == 3)
      try simulation.work(0)
      #expect(Set(simulation.network.map(\.frame)) == [4, 5, 6])
    }
  }

  @Test func theQuietestClientIsForgotten() throws {
    try simulate(limits: { $0.clients = 2 }) { simulation in
      let worker = simulation.workers[0]
      func give(_ frame: UInt64, _ client: String) throws {
        simulation.advance(milliseconds: 1)
        let payload = try simulation.inputMessage(
          frame, input: simulation.model.input(1), roles: "a--", from: client)
        worker.input(payload, client: client, now: simulation.now)
        try simulation.work(0)
      }
      try give(5, "one")
      try give(5, "two")
      try give(5, "one")
      #expect(worker.drops.totals == [.late: 1])
      // "two" has been quiet for longer than "one" and makes room.
      try give(5, "three")
      try give(5, "one")
      #expect(worker.drops.totals == [.late: 2])
      try give(5, "two")
      #expect(worker.drops.totals == [.late: 2])
      #expect(worker.counters.framesFinished == 4)
    }
  }

  /// A client that starts again counts from one; its own random id keeps it apart.
  @Test func clientsDoNotDisturbEachOther() throws {
    try simulate { simulation in
      for (index, name) in ["a", "b", "c"].enumerated() {
        try simulation.send(7, input: simulation.model.input(index), from: name)
      }
      try simulation.settle()
      var answers: [String: [Tensor]] = [:]
      while let outcome = simulation.answer() {
        answers[outcome.key.client] = simulation.outputs(outcome)
        simulation.client.recycle(outcome)
      }
      for (index, name) in ["a", "b", "c"].enumerated() {
        #expect(try answers[name] == simulation.model.expected(simulation.model.input(index)))
      }
    }
  }

  // MARK: Epochs and drops

  @Test func aRestartedDeviceIsFollowed() throws {
    try simulate { simulation in
      try simulation.send(1, input: simulation.model.input(1))
      try simulation.settle()
      simulation.client.recycle(try #require(simulation.answer()))
      simulation.announce(1, .lost)
      simulation.epochs[1] = 200
      var limits = WorkerCore.Limits()
      limits.framesInFlight = 4
      simulation.workers[1] = WorkerCore(
        engines: simulation.model.engines[1], planID: simulation.model.folder.id, device: 1,
        limits: limits)
      simulation.announceAll()
      // A will of the earlier run comes late and changes nothing.
      simulation.client.presence(
        Presence(state: .lost, epoch: 100, heartbeatMilliseconds: 500, version: ""), of: "d1",
        now: simulation.now)
      #expect(simulation.client.roles(now: simulation.now).text == "aaa")
      let input = simulation.model.input(2)
      try simulation.send(2, input: input)
      try simulation.settle()
      let outcome = try #require(simulation.answer())
      #expect(outcome.fills == FillReport())
      #expect(try simulation.outputs(outcome) == simulation.model.expected(input))
    }
  }

  @Test func dropsAreToldOnceASecond() throws {
    try simulate { simulation in
      let worker = simulation.workers[0]
      for _ in 0..<50 { worker.input([], client: "cam", now: simulation.now) }
      #expect(worker.takeDropLines(now: simulation.now).map(\.count) == [1])
      simulation.advance(milliseconds: 999)
      #expect(worker.takeDropLines(now: simulation.now).isEmpty)
      simulation.advance(milliseconds: 1)
      let lines = worker.takeDropLines(now: simulation.now)
      #expect(lines.map(\.count) == [49])
      #expect(lines.map(\.total) == [50])
    }
  }

  // MARK: The client

  @Test func aFrameThatNobodyAnswersEnds() throws {
    try simulate { simulation in
      try simulation.send(1, input: simulation.model.input(1), to: [])
      #expect(simulation.answer() == nil)
      simulation.advance(milliseconds: 4999)
      for device in 0..<3 { simulation.beat(device) }
      #expect(simulation.answer() == nil)
      simulation.advance(milliseconds: 1)
      let outcome = try #require(simulation.answer())
      #expect(!outcome.hasParts)
    }
  }

  /// As after a broker was away: a frame that waited for nobody would end at once, unanswered.
  @Test func withNobodyAliveTheSuspectsAreWaitedFor() throws {
    try simulate { simulation in
      simulation.advance(milliseconds: 1500)
      #expect(simulation.client.states(now: simulation.now) == [.suspect, .suspect, .suspect])
      #expect(simulation.client.roles(now: simulation.now).text == "aaa")
      try simulation.send(1, input: simulation.model.input(1))
      #expect(simulation.answer() == nil)
      try simulation.settle()
      #expect(try #require(simulation.answer()).hasParts)
      simulation.announce(1, .lost)
      simulation.advance(milliseconds: 1500)
      #expect(simulation.client.roles(now: simulation.now).text == "a-a")
      simulation.beat(0)
      #expect(simulation.client.roles(now: simulation.now).text == "a-p")
    }
  }

  @Test func aLastPartWithAnUnreadableReportIsNotUsed() throws {
    try simulate { simulation in
      try simulation.send(1, input: simulation.model.input(1))
      _ = simulation.answer()
      for note in ["lost:9:0", "lost:0:99", "sorry", "lost:0", "::"] {
        let part = try simulation.part(exchange: 2, device: 0, frame: 1, note: note)
        simulation.client.part(part.payload, on: part.topic, now: simulation.now)
      }
      #expect(simulation.client.drops.totals == [.garbage: 5])
      // Parts of frames that are not this client's are none of its business.
      let foreign = try simulation.part(exchange: 2, device: 0, frame: 1, client: "other")
      simulation.client.part(foreign.payload, on: foreign.topic, now: simulation.now)
      #expect(simulation.client.drops.totals == [.garbage: 5])
    }
  }
}
