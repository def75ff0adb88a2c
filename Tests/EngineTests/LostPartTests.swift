import Engine
import Foundations
import TestSupport
import Testing
import WireProtocol

/// Parts that get lost on their way while everybody lives: whatever else moves, they do not come.
@Suite struct LostPartTests {
  private static let first: UInt64 = 100

  /// Three devices whose parts have always come at once, so that 30 ms are waited for where nothing is lost,
  /// and 2 s where something is.
  private func simulate(_ body: (Simulation) throws -> Void) throws {
    try TinyModel.with { model in
      let simulation = Simulation(model, deadline: .standard)
      simulation.promise = 100
      simulation.announceAll()
      for frame in 1...20 as ClosedRange<UInt64> {
        let (outcome, elapsed) = try fly(simulation, frame)
        #expect(outcome.fills.isEmpty && elapsed == 0)
      }
      for worker in simulation.workers { _ = worker.takeSent() }
      try body(simulation)
    }
  }

  /// One frame; time passes in milliseconds until it is answered.
  ///
  /// - Parameters:
  ///   - keep: which messages arrive.
  ///   - meanwhile: called each millisecond before anybody looks whether the frame is answered.
  private func fly(
    _ simulation: Simulation, _ frame: UInt64,
    keep: (Simulation.Message) -> Bool = { _ in true }, meanwhile: (Int) throws -> Void = { _ in }
  ) throws -> (outcome: ClientCore.Outcome, elapsed: Int) {
    try simulation.send(frame, input: simulation.model.input(Int(frame)), oldest: frame)
    for elapsed in 0...6000 {
      try simulation.settle(keep)
      try meanwhile(elapsed)
      try simulation.settle(keep)
      if elapsed % 100 == 99 { for device in 0..<3 { simulation.beat(device) } }
      if let outcome = simulation.answer() {
        simulation.client.recycle(outcome)
        return (outcome, elapsed)
      }
      simulation.advance(milliseconds: 1)
    }
    throw MartletError(.timedOut, "no answer")
  }

  private func mark(_ frame: UInt64, _ stage: Int) -> SentMark {
    SentMark(FrameKey(client: "cam", frame: frame), stage: stage)
  }

  /// Everybody is well, and the next frame is whole at once.
  private func checkAfter(_ simulation: Simulation) throws {
    #expect(simulation.client.states(now: simulation.now) == Array(repeating: .alive, count: 3))
    for (number, worker) in simulation.workers.enumerated() {
      for name in ["d0", "d1", "d2"] where name != "d\(number)" {
        #expect(worker.liveness.state(of: name, at: simulation.now) == .alive)
      }
    }
    let (outcome, elapsed) = try fly(simulation, 200)
    #expect(outcome.fills.isEmpty && elapsed == 0)
  }

  /// The part of the next stage shows that it was sent.
  @Test func theNextPartTells() throws {
    try simulate { simulation in
      let (outcome, elapsed) = try fly(
        simulation, Self.first, keep: { $0.sender != 2 || $0.exchange != 0 })
      #expect(elapsed == 30)
      #expect(Set(outcome.fills.fills.map(\.device)) == [2])
      #expect(Set(outcome.fills.fills.map(\.exchange)) == [0])
      #expect(Set(outcome.fills.fills.map(\.receiver)) == [0, 1])
      try checkAfter(simulation)
    }
  }

  /// Behind the last part comes none, but a heartbeat. What moves meanwhile changes nothing.
  @Test(arguments: [false, true]) func aHeartbeatTells(moves: Bool) throws {
    try simulate { simulation in
      if moves { simulation.moved = [0: 0, 1: 0, 2: 0] }
      let (outcome, elapsed) = try fly(
        simulation, Self.first, keep: { $0.sender != 2 || $0.exchange != 2 }
      ) { elapsed in
        if moves, elapsed % 10 == 5 {
          for device in 0..<3 {
            simulation.moved[device]? += 1
            simulation.beat(device)
          }
        }
        guard elapsed == 50 else { return }
        let sent = simulation.workers[2].takeSent()
        #expect(sent == [1, 2, SentMark.end].map { mark(Self.first, $0) })
        simulation.beat(2, sent: sent)
      }
      #expect(elapsed == 80)
      #expect(
        outcome.fills.fills
          == [.init(exchange: 2, device: 2, receiver: 3, reason: .deadline)])
      try checkAfter(simulation)
    }
  }

  /// Two devices wait for each other's parts, and neither goes on.
  @Test func twoThatWaitForEachOtherAreTold() throws {
    try simulate { simulation in
      let (outcome, elapsed) = try fly(
        simulation, Self.first, keep: { $0.sender == 0 || $0.exchange != 0 }
      ) { elapsed in
        guard elapsed == 40 else { return }
        for device in 0..<3 {
          let sent = simulation.workers[device].takeSent()
          #expect(sent == [mark(Self.first, 1)])
          simulation.beat(device, sent: sent)
        }
      }
      #expect(elapsed == 70)
      #expect(Set(outcome.fills.fills.map(\.device)) == [1, 2])
      #expect(Set(outcome.fills.fills.map(\.exchange)) == [0])
      try checkAfter(simulation)
    }
  }

  /// A broker that does not keep the order of topics: the first part that comes after all shows it, and from
  /// then on what a device says is no reason to give its parts up.
  @Test func whoeverIsOvertakenIsWaitedFor() throws {
    try simulate { simulation in
      for (frame, arrival) in [(Self.first, 20), (Self.first + 1, 500)] {
        var held: [Simulation.Message] = []
        let (outcome, elapsed) = try fly(
          simulation, frame,
          keep: { message in
            guard message.sender == 2, message.exchange == 2, held.isEmpty else { return true }
            held.append(message)
            return false
          }
        ) { elapsed in
          if elapsed == 10 { simulation.beat(2, sent: [mark(frame, SentMark.end)]) }
          if elapsed == arrival { for message in held { simulation.deliver(message) } }
        }
        #expect(outcome.fills.isEmpty && elapsed == arrival, "frame \(frame): \(elapsed) ms")
      }
    }
  }

  /// One that says what it sends, and sends nothing: when the others have given it up the client waits only
  /// another moment.
  @Test func whoSendsNothingIsMissed() throws {
    try simulate { simulation in
      simulation.beat(2, sent: [mark(1, SentMark.end)])
      let (outcome, elapsed) = try fly(simulation, Self.first, keep: { $0.sender != 2 })
      #expect(elapsed == 2030)
      #expect(Set(outcome.fills.fills.map(\.device)) == [2])
      #expect(simulation.client.states(now: simulation.now)[2] == .suspect)
    }
  }

  /// Whoever waits for a time that was asked for does so.
  @Test func aFixedDeadlineIsOne() throws {
    try TinyModel.with { model in
      let simulation = Simulation(model, deadline: .fixed(.milliseconds(250)))
      simulation.announceAll()
      let (_, elapsed) = try fly(
        simulation, Self.first, keep: { $0.sender != 2 || $0.exchange != 0 }
      ) { elapsed in
        if elapsed == 10 { simulation.beat(2, sent: simulation.workers[2].takeSent()) }
      }
      #expect(elapsed == 250)
    }
  }
}
