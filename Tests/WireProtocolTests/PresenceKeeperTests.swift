import Foundations
import Testing
import WireProtocol

@Suite struct PresenceKeeperTests {
  /// Some day in 2026, so that epochs are bounded.
  private static let clock: UInt64 = 1_780_000_000_000
  private static let own = clock - 1000
  private static let description = DeviceDescription(
    version: "1", methods: ["health/check"], plan: "p-1", parts: [],
    hardware: .init(architecture: "x86_64", cores: 2, memoryBytes: 1 << 30, system: "Linux"))

  private static func presence(
    _ state: Presence.State, _ epoch: UInt64 = PresenceKeeperTests.own
  ) -> Presence {
    Presence(state: state, epoch: epoch, heartbeatMilliseconds: 500, version: "1")
  }

  private static func payload(_ state: Presence.State, _ epoch: UInt64) -> [UInt8] {
    (try? presence(state, epoch).payload()) ?? []
  }

  private func keeper(first: Presence.State = .ready) -> PresenceKeeper {
    PresenceKeeper(description: Self.description, first: Self.presence(first))
  }

  /// One that was connected at second 100.
  private func connected(first: Presence.State = .ready) -> PresenceKeeper {
    var keeper = keeper(first: first)
    _ = keeper.connected(at: seconds(100))
    return keeper
  }

  // MARK: To say

  @Test(arguments: [Presence.State.starting, .ready])
  func everyConnectionIsToldDescriptionAndState(_ state: Presence.State) {
    var keeper = keeper(first: state)
    #expect(keeper.due == .distantFuture)
    let words: [PresenceKeeper.Word] = [.description, .presence(Self.presence(state))]
    for time in [1.0, 2.0] {
      let said = keeper.connected(at: seconds(time))
      #expect(said == words)
      keeper.disconnected()
    }
  }

  @Test func statesAreSaidAtOnceAndAfterTheNextConnection() {
    var keeper = connected(first: .starting)
    let ready = keeper.say(.ready, at: seconds(101))
    #expect(ready == [.presence(Self.presence(.ready))])
    let draining = keeper.say(.draining, at: seconds(102))
    #expect(draining == [.presence(Self.presence(.draining))])
    keeper.disconnected()
    let again = keeper.connected(at: seconds(103))
    #expect(again == [.description, .presence(Self.presence(.draining))])
    let offline = keeper.say(.offline, at: seconds(104))
    #expect(offline == [.presence(Self.presence(.offline))])
    // It has left: nothing calls it back.
    keeper.disconnected()
    let afterwards = keeper.connected(at: seconds(105))
    #expect(afterwards.isEmpty && keeper.due == .distantFuture)
  }

  @Test func presenceIsRefreshedBeforeTheBrokerForgetsIt() {
    var keeper = connected()
    #expect(keeper.due == seconds(160))
    let early = keeper.work(at: seconds(159.9))
    #expect(early.isEmpty)
    let due = keeper.work(at: seconds(160))
    #expect(due == [.presence(Self.presence(.ready))])
    // Every other word of the state counts as well.
    _ = keeper.say(.draining, at: seconds(200))
    #expect(keeper.due == seconds(260))
    // Without a connection nothing piles up.
    keeper.disconnected()
    let cutOff = keeper.work(at: seconds(900))
    #expect(cutOff.isEmpty && keeper.due == .distantFuture)
  }

  // MARK: To hear

  /// What came, in which state it was heard (nil before the first word), and what it means.
  @Test(
    arguments: [
      (payload(.ready, own), .ready, .fine),
      (payload(.starting, own), .ready, .fine),
      (payload(.lost, own), .ready, .restate),
      (payload(.lost, own), .starting, .restate),
      (payload(.lost, own), .draining, .restate),
      (payload(.offline, own), .ready, .restate),
      (payload(.lost, own), .offline, .fine),
      (payload(.lost, own), nil, .fine),
      (payload(.ready, own - 1), .ready, .restate),
      (payload(.lost, own - 1), .ready, .restate),
      (payload(.lost, own - 1), nil, .fine),
      (payload(.starting, own + 1), .ready, .superseded(epoch: own + 1)),
      (payload(.ready, own + 1), .ready, .superseded(epoch: own + 1)),
      (payload(.draining, own + 1), .starting, .superseded(epoch: own + 1)),
      (payload(.ready, own + 1), nil, .superseded(epoch: own + 1)),
      (payload(.lost, own + 1), .ready, .takeOver(epoch: own + 1)),
      (payload(.offline, own + 1), nil, .takeOver(epoch: own + 1)),
      (payload(.ready, Epoch.maximum), .ready, .impossible(epoch: Epoch.maximum)),
      (payload(.lost, Epoch.maximum), .ready, .impossible(epoch: Epoch.maximum)),
      (payload(.ready, Epoch.maximum), nil, .fine),
      ([], .ready, .restate), ([], nil, .fine), ([], .offline, .fine),
      (Array("{".utf8), .ready, .unreadable), (Array("{".utf8), nil, .unreadable),
      ([UInt8](repeating: 0x20, count: Presence.maximumBytes + 1), .ready, .unreadable),
    ] as [([UInt8], Presence.State?, PresenceKeeper.Verdict)])
  func presenceUnderTheOwnNameIsJudged(
    payload: [UInt8], said: Presence.State?, verdict: PresenceKeeper.Verdict
  ) {
    var keeper = keeper()
    if let said {
      _ = keeper.connected(at: seconds(99))
      _ = keeper.say(said, at: seconds(100))
    }
    let heard = keeper.hear(presence: payload, clock: Self.clock, at: seconds(101))
    #expect(heard == verdict)
    let mends: Bool
    switch verdict {
    case .restate, .impossible: mends = true
    case .unreadable: mends = said != nil
    case .fine, .superseded, .takeOver: mends = false
    }
    let words = keeper.work(at: seconds(101))
    let standing = Self.presence(said ?? .ready)
    #expect(words == (mends ? [.description, .presence(standing)] : []))
  }

  @Test func anEpochBehindAClockThatIsNotSetIsBelieved() {
    var keeper = connected()
    let future = Self.own + 20 * 31_557_600_000
    let refused = keeper.hear(
      presence: Self.payload(.ready, future), clock: Self.clock, at: seconds(101))
    #expect(refused == .impossible(epoch: future))
    let believed = keeper.hear(
      presence: Self.payload(.ready, future), clock: 5000, at: seconds(101))
    #expect(believed == .superseded(epoch: future))
  }

  @Test(
    arguments: [
      (own, .fine), (own - 1, .fine), (own + 1, .superseded(epoch: own + 1)),
      (Epoch.maximum, .fine),
    ] as [(UInt64, PresenceKeeper.Verdict)])
  func heartbeatsUnderTheOwnNameAreJudged(epoch: UInt64, verdict: PresenceKeeper.Verdict) {
    let beat = Heartbeat(epoch: epoch, sequence: 1, frame: 0, queue: 0, residentBytes: 1)
    #expect(keeper().hear(beat, clock: Self.clock) == verdict)
    #expect(connected().hear(beat, clock: Self.clock) == verdict)
  }

  @Test func descriptionsUnderTheOwnNameAreJudged() throws {
    let own = try Self.description.payload()
    var other = Self.description
    other.plan = "p-2"
    let others = [[], Array("{".utf8), try other.payload()]
    var early = keeper()
    var keeper = connected()
    let heard = keeper.hear(description: own, at: seconds(101))
    #expect(heard == .fine && keeper.due == seconds(160))
    for (index, payload) in others.enumerated() {
      let unheard = early.hear(description: payload, at: seconds(101))
      #expect(unheard == .fine && early.due == .distantFuture)
      let now = seconds(101 + 2 * Double(index))
      let verdict = keeper.hear(description: payload, at: now)
      #expect(verdict == .restate)
      let words = keeper.work(at: now)
      #expect(words == [.description, .presence(Self.presence(.ready))])
    }
  }

  /// Somebody who damages the retained words again and again makes no storm.
  @Test func wordsAreRestatedOnceASecondAtMost() {
    var keeper = connected()
    var said = 0
    for tenth in 0..<100 {
      let now = seconds(101 + Double(tenth) / 10)
      _ = keeper.hear(presence: [], clock: Self.clock, at: now)
      said += keeper.work(at: now).count { $0 == .description }
    }
    #expect(said == 10)
    // What was wanted before a cut is told by the next connection anyway.
    _ = keeper.hear(presence: [], clock: Self.clock, at: seconds(120))
    keeper.disconnected()
    let cutOff = keeper.work(at: seconds(120))
    #expect(cutOff.isEmpty && keeper.due == .distantFuture)
  }
}
