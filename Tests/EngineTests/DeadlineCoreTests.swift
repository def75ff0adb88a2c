import Engine
import Foundations
import Plan
import TestSupport
import Testing
import WireProtocol

/// What waiting costs, with messages and time in the test's hands.
@Suite struct DeadlineCoreTests {
  private func simulate(
    _ deadline: DeadlinePolicy, limits: (inout WorkerCore.Limits) -> Void = { _ in },
    _ body: (Simulation) throws -> Void
  ) throws {
    try TinyModel.with { model in
      let simulation = Simulation(model, limits: limits, deadline: deadline)
      simulation.announceAll()
      try body(simulation)
    }
  }

  /// One frame; time passes in milliseconds until the answer is there.
  ///
  /// - Returns: the outcome and how many milliseconds it took; nil after `patience`.
  private func fly(
    _ simulation: Simulation, _ frame: UInt64, oldest: UInt64? = nil, patience: Int = 3000,
    _ keep: (Simulation.Message) -> Bool = { _ in true }
  ) throws -> (ClientCore.Outcome, Int)? {
    try simulation.send(
      frame, input: simulation.model.input(Int(frame)), oldest: oldest ?? frame)
    for elapsed in 0...patience {
      try simulation.settle(keep)
      if let outcome = simulation.answer() {
        simulation.client.recycle(outcome)
        return (outcome, elapsed)
      }
      simulation.advance(milliseconds: 1)
      if elapsed % 500 == 499 { for device in 0..<3 { simulation.beat(device) } }
    }
    return nil
  }

  @Test func aStalledPeerCostsOneDeadlineInAll() throws {
    for policy in [DeadlinePolicy.fixed(.milliseconds(40)), .learned] {
      try simulate(policy) { simulation in
        for frame in 1...20 as ClosedRange<UInt64> {
          #expect(try #require(try fly(simulation, frame)).1 == 0)
        }
        // It goes on beating, and sends nothing.
        var times: [Int] = []
        for frame in 21...30 as ClosedRange<UInt64> {
          let (outcome, elapsed) = try #require(try fly(simulation, frame) { $0.sender != 2 })
          #expect(Set(outcome.fills.fills.map(\.device)) == [2])
          times.append(elapsed)
        }
        let deadline = policy == .learned ? 30 : 40
        #expect(times == [deadline] + Array(repeating: 0, count: 9), "\(policy)")
        // The first part in time brings it back for the frame after.
        _ = try fly(simulation, 31)
        let (outcome, elapsed) = try #require(try fly(simulation, 32))
        #expect(outcome.fills == FillReport() && elapsed == 0)
      }
    }
  }

  @Test func thePaperWaitsInEveryExchangeOfEveryFrame() throws {
    try simulate(.every(.milliseconds(40))) { simulation in
      for frame in 1...3 as ClosedRange<UInt64> {
        let (outcome, elapsed) = try #require(try fly(simulation, frame) { $0.sender != 2 })
        // Two exchanges between the devices and one to the client.
        #expect(elapsed == 120)
        #expect(Set(outcome.fills.fills.map(\.reason)) == [.deadline])
        #expect(simulation.client.roles(now: simulation.now).text == "aaa")
      }
    }
  }

  /// A fixed deadline cannot help a device that is always later; but the others wait for it once.
  @Test func aDeviceThatIsAlwaysTooLateIsNotWaitedForAgainAndAgain() throws {
    try simulate(.fixed(.milliseconds(20))) { simulation in
      var delayed: [(Simulation.Message, MonotonicTime)] = []
      var waited = 0
      for frame in 1...20 as ClosedRange<UInt64> {
        try simulation.send(
          frame, input: simulation.model.input(Int(frame)), oldest: frame)
        var answered = false
        for elapsed in 0..<60 {
          try simulation.settle { message in
            guard message.sender == 2 else { return true }
            delayed.append((message, simulation.now.adding(milliseconds: 30)))
            return false
          }
          for (message, _) in delayed.filter({ $0.1 <= simulation.now }) {
            simulation.deliver(message)
          }
          delayed.removeAll { $0.1 <= simulation.now }
          if !answered, let outcome = simulation.answer() {
            simulation.client.recycle(outcome)
            answered = true
            waited += elapsed
          }
          simulation.advance(milliseconds: 1)
          if elapsed == 0 { for device in 0..<3 { simulation.beat(device) } }
        }
        #expect(answered, "frame \(frame)")
      }
      #expect(waited <= 20, "\(waited) ms for 20 frames")
    }
  }

  /// With an adaptive deadline the same device is learned and used.
  @Test(arguments: [DeadlinePolicy.learned, .standard])
  func aDeviceThatIsAlwaysLateIsLearned(_ policy: DeadlinePolicy) throws {
    try simulate(policy) { simulation in
      var complete = 0
      for frame in 1...20 as ClosedRange<UInt64> {
        var delayed: [(Simulation.Message, MonotonicTime)] = []
        try simulation.send(
          frame, input: simulation.model.input(Int(frame)), oldest: frame)
        for _ in 0..<200 {
          try simulation.settle { message in
            guard message.sender == 2 else { return true }
            delayed.append((message, simulation.now.adding(milliseconds: 50)))
            return false
          }
          for (message, _) in delayed.filter({ $0.1 <= simulation.now }) {
            simulation.deliver(message)
          }
          delayed.removeAll { $0.1 <= simulation.now }
          if let outcome = simulation.answer() {
            if outcome.fills == FillReport() { complete += 1 }
            simulation.client.recycle(outcome)
            break
          }
          simulation.advance(milliseconds: 1)
          for device in 0..<3 { simulation.beat(device) }
        }
      }
      #expect(complete == 20)
    }
  }

  @Test func oneLostMessageCostsOneFrame() throws {
    try simulate(.fixed(.milliseconds(20))) { simulation in
      _ = try fly(simulation, 1)
      var isLost = false
      let (outcome, elapsed) = try #require(
        try fly(simulation, 2) { message in
          defer { isLost = isLost || (message.sender == 2 && message.exchange == 0) }
          return isLost || !(message.sender == 2 && message.exchange == 0)
        })
      #expect(elapsed == 20 && !outcome.fills.isEmpty)
      _ = try fly(simulation, 3)
      let (next, delay) = try #require(try fly(simulation, 4))
      #expect(next.fills.isEmpty && delay == 0)
    }
  }

  /// A broker's access list that hides one topic looks like a lost message in every frame.
  @Test func whatTheBrokerNeverDeliversIsCalledDenied() throws {
    try simulate(.fixed(.milliseconds(20))) { simulation in
      var reasons: [Set<MissingReason>] = []
      var times: [Int] = []
      for frame in 1...6 as ClosedRange<UInt64> {
        // The next frame's parts show that d2 works.
        try simulation.send(frame * 2, input: simulation.model.input(1), oldest: frame * 2)
        try simulation.send(frame * 2 + 1, input: simulation.model.input(1), oldest: frame * 2)
        var outcomes: [ClientCore.Outcome] = []
        for elapsed in 0..<200 where outcomes.count < 2 {
          try simulation.settle { !($0.sender == 2 && $0.exchange == 0) }
          if let outcome = simulation.answer() {
            outcomes.append(outcome)
            simulation.client.recycle(outcome)
            if outcomes.count == 1 { times.append(elapsed) }
          }
          for device in 0..<3 { simulation.beat(device) }
          simulation.advance(milliseconds: 1)
        }
        let fills = outcomes.flatMap { $0.fills.fills }
        reasons.append(Set(fills.filter { $0.exchange == 0 }.map(\.reason)))
      }
      #expect(reasons.last == [.denied], "\(reasons)")
      #expect(times.last == 0, "\(times)")
    }
  }

  @Test func garbageInPlaceOfAPartIsCalledCorrupt() throws {
    try simulate(.fixed(.milliseconds(20))) { simulation in
      let layer = simulation.model.folder.plan.exchanges[0].id
      try simulation.send(1, input: simulation.model.input(1))
      for device in 0..<3 { try simulation.work(device) }
      simulation.network.removeAll { $0.sender == 2 }
      for worker in simulation.workers[0...1] {
        worker.part([1, 2, 3], on: .activation(layer: layer, device: "d2"), now: simulation.now)
      }
      try simulation.settle { $0.sender != 2 }
      simulation.advance(milliseconds: 20)
      try simulation.settle { $0.sender != 2 }
      #expect(simulation.workers[0].counters.fills["corrupt"] == 1)
    }
  }

  /// A worker that was stopped for long finds every deadline passed when it goes on.
  @Test func whoWasAwayBlamesNobody() throws {
    try simulate(.standard) { simulation in
      for frame in 1...20 as ClosedRange<UInt64> { _ = try fly(simulation, frame) }
      let worker = simulation.workers[2]
      try simulation.send(21, input: simulation.model.input(1), oldest: 21)
      try simulation.work(2)
      let parts = simulation.network
      simulation.network = []
      simulation.advance(milliseconds: 10_000)
      worker.wasAway(.seconds(10))
      try simulation.work(2)
      #expect(worker.counters.fills.isEmpty)
      for name in ["d0", "d1"] {
        #expect(worker.liveness.state(of: name, at: simulation.now) == .alive)
      }
      // The others had stopped waiting for it long ago; it still uses what they sent.
      #expect(parts.count == 1 && simulation.network.isEmpty)
    }
  }

  /// What a device says that nobody counts on is no reason to stop waiting for others.
  @Test func aSuspectAccusesNobody() throws {
    for isSuspect in [true, false] {
      try simulate(.fixed(.milliseconds(20))) { simulation in
        if isSuspect { _ = try fly(simulation, 1) { $0.sender != 2 } }
        for device in 0..<3 { simulation.beat(device) }
        try simulation.send(2, input: simulation.model.input(2), oldest: 2)
        try simulation.work(0)
        let part = try simulation.part(
          exchange: 1, device: 2, frame: 2, note: "deadline:1:0:2")
        let worker = simulation.workers[0]
        // A part that brings its sender back does not yet make it a witness.
        simulation.advance(milliseconds: 1)
        worker.part(part.payload, on: part.topic, now: simulation.now)
        let state = worker.liveness.state(of: "d1", at: simulation.now)
        #expect(state == (isSuspect ? .alive : .suspect))
      }
    }
  }

  // MARK: Falling behind

  @Test func framesThatNobodyWaitsForAreDroppedWhole() throws {
    try simulate(.standard, limits: { $0.framesInFlight = 1 }) { simulation in
      let worker = simulation.workers[0]
      func give(_ frame: UInt64, oldest: UInt64) throws {
        let note = InputNote(attendance: .everyone(3), oldest: oldest)
        worker.input(
          try simulation.inputMessage(frame, input: simulation.model.input(1), roles: note.text),
          client: "cam", now: simulation.now)
      }
      for frame in 1...5 as ClosedRange<UInt64> { try give(frame, oldest: 1) }
      try simulation.work(0)
      let part = try simulation.part(exchange: 0, device: 1, frame: 4)
      worker.part(part.payload, on: part.topic, now: simulation.now)
      #expect(worker.queueLength == 5 && worker.counters.framesDropped == 0)
      // Frame 1 is under way, waiting for parts; 2 to 4 have not begun.
      try give(6, oldest: 5)
      #expect(worker.queueLength == 2 && worker.counters.framesDropped == 4)
      #expect(worker.takeFrameDropLines(now: simulation.now).map(\.reason) == [.overtaken])
      simulation.network = []
      try simulation.work(0)
      #expect(Set(simulation.network.map(\.frame)) == [5])
    }
  }

  @Test func aFullWorkerAsksClientsToHoldBack() throws {
    try simulate(.standard, limits: { $0.pendingFrames = 4 }) { simulation in
      let worker = simulation.workers[0]
      func beat(isFull: Bool) {
        simulation.client.heartbeat(
          Heartbeat(
            epoch: 100, sequence: 2, frame: 0, queue: 0, residentBytes: 1, isFull: isFull),
          of: "d0", now: simulation.now)
      }
      #expect(!worker.isFull)
      for frame in 1...3 as ClosedRange<UInt64> {
        worker.input(
          try simulation.inputMessage(frame, input: simulation.model.input(1), roles: "aaa"),
          client: "cam", now: simulation.now)
      }
      #expect(worker.isFull)
      beat(isFull: true)
      #expect(simulation.client.overloaded(now: simulation.now) == "d0")
      try simulation.work(0)
      #expect(!worker.isFull)
      beat(isFull: false)
      #expect(simulation.client.overloaded(now: simulation.now) == nil)
      // A device that is gone holds nobody up.
      beat(isFull: true)
      simulation.announce(0, .lost)
      #expect(simulation.client.overloaded(now: simulation.now) == nil)
    }
  }

  @Test func inputsAreBoundedInBytes() throws {
    // An input has 20 bytes.
    try simulate(.standard, limits: { $0.bytes = 50 }) { simulation in
      let worker = simulation.workers[0]
      for frame in 1...6 as ClosedRange<UInt64> {
        worker.input(
          try simulation.inputMessage(frame, input: simulation.model.input(1), roles: "aaa"),
          client: "cam", now: simulation.now)
        #expect(worker.queueLength <= 2)
      }
      #expect(worker.counters.framesDropped == 4)
      #expect(worker.takeFrameDropLines(now: simulation.now).map(\.reason) == [.noRoom])
    }
  }
}
