import Foundations
import Testing
import WireProtocol

/// Presence with a beat of one second, so that silence ends after three.
private func presence(_ state: Presence.State, _ epoch: UInt64) -> Presence {
  Presence(state: state, epoch: epoch, heartbeatMilliseconds: 1000, version: "")
}

/// Something that happens to a peer.
enum PeerEvent: Sendable {
  case presence(Presence.State, UInt64)
  case beat(UInt64)
  case part(UInt64)
  /// A part of a frame that is long over.
  case latePart(UInt64)
  case miss
  /// A deadline missed where nothing was lost by it.
  case freeMiss
  case distrust
  case fence(Bool)
}

struct LivenessCase: Sendable, CustomTestStringConvertible {
  var name: String
  /// What happens at which second.
  var events: [(Double, PeerEvent)]
  /// The state to expect at which second, after all events up to it.
  var states: [(Double, PeerState)]
  var testDescription: String { name }
}

@Suite struct LivenessTests {
  static let cases: [LivenessCase] = [
    .init(name: "nothing heard", events: [], states: [(1, .unknown)]),
    .init(
      name: "ready, then beats, then silence",
      events: [(0, .presence(.ready, 5)), (0.5, .beat(5)), (1.5, .beat(5))],
      states: [(0.2, .unknown), (0.6, .alive), (4.4, .alive), (4.5, .suspect), (900, .suspect)]),
    .init(
      name: "beat before presence",
      events: [(0, .beat(5)), (0.1, .presence(.ready, 5))],
      states: [(0.05, .unknown), (0.2, .alive)]),
    .init(
      name: "starting", events: [(0, .presence(.starting, 5)), (1, .beat(5))],
      states: [(1.1, .unknown)]),
    .init(
      name: "will arriving after the new birth",
      events: [
        (0, .presence(.ready, 5)), (0, .beat(5)), (1, .presence(.ready, 6)), (1, .beat(6)),
        (1.5, .presence(.lost, 5)),
      ], states: [(0.5, .alive), (2, .alive)]),
    .init(
      name: "will of this run",
      events: [(0, .presence(.ready, 5)), (0, .beat(5)), (1, .presence(.lost, 5))],
      states: [(0.9, .alive), (1, .lost)]),
    .init(
      name: "will, then the same run publishes ready again",
      events: [
        (0, .presence(.ready, 5)), (0, .beat(5)), (1, .presence(.lost, 5)), (1.1, .beat(5)),
        (1.2, .presence(.ready, 5)), (1.3, .beat(5)),
      ], states: [(1.15, .lost), (1.25, .unknown), (1.35, .alive)]),
    .init(
      name: "retained ready of a dead device", events: [(0, .presence(.ready, 5))],
      states: [(0, .unknown), (60, .unknown)]),
    .init(
      name: "retained ready, beats of an older run",
      events: [(0, .presence(.ready, 5)), (1, .beat(4))], states: [(1, .unknown)]),
    .init(
      name: "heartbeats delayed, parts arriving",
      events: [
        (0, .presence(.ready, 5)), (0, .beat(5)), (2, .part(5)), (4, .part(5)), (6, .part(5)),
      ], states: [(3.5, .alive), (5, .alive), (8.9, .alive), (9, .suspect)]),
    .init(
      name: "late parts of an older run",
      events: [
        (0, .presence(.ready, 6)), (0, .beat(6)), (2.9, .part(5)),
      ], states: [(3, .suspect)]),
    .init(
      name: "draining, then offline",
      events: [
        (0, .presence(.ready, 5)), (0, .beat(5)), (1, .presence(.draining, 5)), (1.5, .beat(5)),
        (2, .presence(.offline, 5)), (2.1, .part(5)),
      ], states: [(0.5, .alive), (1.2, .draining), (2, .lost), (2.2, .lost)]),
    .init(
      name: "a new run is not alive by the old one's signs",
      events: [
        (0, .presence(.ready, 5)), (0, .beat(5)), (0.5, .presence(.ready, 6)), (0.6, .beat(5)),
        (1, .beat(6)),
      ], states: [(0.7, .unknown), (1, .alive)]),
    .init(
      name: "beats of a new run before its presence",
      events: [
        (0, .presence(.ready, 5)), (0, .beat(5)), (1, .beat(6)), (2, .presence(.ready, 6)),
      ], states: [(1, .alive), (2, .alive), (3.9, .alive), (4, .suspect)]),
    .init(
      name: "a beat and a part with an epoch that presence never names shut nobody out",
      events: [
        (0, .presence(.ready, 5)), (0, .beat(5)), (1, .beat(Epoch.maximum)),
        (1, .part(Epoch.maximum)), (2, .beat(5)),
      ], states: [(1.5, .alive), (4.9, .alive), (5, .suspect)]),
    .init(
      name: "late where nothing was lost by it",
      events: [(0, .presence(.ready, 5)), (0, .beat(5)), (1, .freeMiss), (1.5, .part(5))],
      states: [(1, .suspect), (1.5, .alive)]),
    .init(
      name: "parts that are right do not end distrust",
      events: [
        (0, .presence(.ready, 5)), (0, .beat(5)), (1, .distrust), (1.5, .part(5)), (2.9, .beat(5)),
        (4, .distrust), (4.5, .part(5)), (6, .beat(5)), (7.9, .part(5)),
      ],
      states: [
        (1, .suspect), (2.9, .suspect), (3, .alive), (4, .suspect), (7.9, .suspect),
        (8, .alive),
      ]),
    .init(
      name: "distrust ends with a new run",
      events: [
        (0, .presence(.ready, 5)), (0, .beat(5)), (1, .distrust), (1.5, .presence(.ready, 6)),
        (1.6, .beat(6)),
      ], states: [(1.4, .suspect), (1.6, .alive)]),
    .init(
      name: "missed deadline ends with a part, not with a beat",
      events: [
        (0, .presence(.ready, 5)), (0, .beat(5)), (1, .miss), (1.2, .beat(5)), (1.5, .part(5)),
      ], states: [(1.1, .suspect), (1.3, .suspect), (1.6, .alive)]),
    .init(
      name: "missed deadline ends with a new run",
      events: [
        (0, .presence(.ready, 5)), (0, .beat(5)), (1, .miss), (2, .presence(.ready, 6)),
        (2, .beat(6)),
      ], states: [(1, .suspect), (2, .alive)]),
    .init(
      name: "missed deadline does not end with a part that is too late",
      events: [
        (0, .presence(.ready, 5)), (0, .beat(5)), (1, .miss), (1.5, .latePart(5)), (2, .part(5)),
      ], states: [(1.6, .suspect), (2, .alive)]),
    .init(
      name: "late parts are signs of life",
      events: [(0, .presence(.ready, 5)), (0, .beat(5)), (2.5, .latePart(5))],
      states: [(5.4, .alive), (5.5, .suspect)]),
    .init(
      name: "a broker that is killed sends no wills, and everybody falls silent",
      events: [
        (0, .presence(.ready, 5)), (0, .beat(5)), (7, .presence(.ready, 5)), (7, .beat(5)),
      ], states: [(2.9, .alive), (3, .suspect), (6.9, .suspect), (7, .alive)]),
    .init(
      name: "a broker that is stopped sends the will of a living device, which comes back",
      events: [
        (0, .presence(.ready, 5)), (0, .beat(5)), (1, .presence(.lost, 5)),
        // What was retained comes before the device has connected again.
        (4, .presence(.lost, 5)), (5, .presence(.ready, 5)), (5.1, .beat(5)),
      ], states: [(1, .lost), (4.5, .lost), (5.05, .unknown), (5.1, .alive)]),
    .init(
      name: "a device that died with its broker down",
      events: [
        (0, .presence(.ready, 5)), (0, .beat(5)),
        // The broker kept `ready` on disk, and nobody is left to take it back.
        (60, .presence(.ready, 5)),
      ], states: [(59, .suspect), (61, .suspect), (3600, .suspect)]),
    .init(
      name: "two devices with one name: the older one's words are nothing",
      events: [
        (0, .presence(.ready, 5)), (0, .beat(5)), (1, .presence(.ready, 9)), (1.1, .beat(5)),
        (1.2, .beat(9)), (2, .presence(.ready, 5)), (2.1, .beat(5)), (2.2, .presence(.lost, 5)),
        (2.3, .part(5)),
      ], states: [(1.15, .unknown), (1.2, .alive), (4.1, .alive), (4.2, .suspect)]),
    .init(
      name: "fenced while it runs another plan",
      events: [
        (0, .fence(true)), (0, .presence(.ready, 5)), (0, .beat(5)), (1, .part(5)),
        (2, .fence(false)), (2.5, .fence(true)), (3, .presence(.lost, 5)),
      ], states: [(1, .fenced), (2, .alive), (2.5, .fenced), (3, .lost)]),
    .init(
      name: "presence refreshed",
      events: [(0, .presence(.ready, 5)), (0, .beat(5)), (2, .presence(.ready, 5))],
      states: [(2.5, .alive), (3, .suspect)]),
  ]

  @Test(arguments: cases)
  func table(test: LivenessCase) {
    for (moment, expected) in test.states {
      var peer = PeerLiveness()
      for (time, event) in test.events where time <= moment {
        switch event {
        case .presence(let state, let epoch): _ = peer.receive(presence(state, epoch))
        case .beat(let epoch): _ = peer.heartbeat(epoch: epoch, at: seconds(time))
        case .part(let epoch): _ = peer.part(epoch: epoch, at: seconds(time))
        case .latePart(let epoch):
          _ = peer.part(epoch: epoch, at: seconds(time), inTime: false)
        case .miss: peer.missDeadline()
        case .freeMiss: peer.missDeadline(wasFree: true)
        case .distrust: peer.distrust(at: seconds(time))
        case .fence(let isFenced): peer.isFenced = isFenced
        }
      }
      #expect(peer.state(at: seconds(moment)) == expected, "\(test.name) at \(moment) s")
    }
  }

  @Test func oldEpochsAreReported() {
    var peer = PeerLiveness()
    #expect(peer.receive(presence(.ready, 5)) == true)
    #expect(peer.receive(presence(.lost, 4)) == false)
    #expect(peer.heartbeat(epoch: 4, at: seconds(1)) == false)
    #expect(peer.part(epoch: 4, at: seconds(1)) == false)
    #expect(peer.epoch == 5)
  }

  @Test func changesOfSeveralPeers() {
    var liveness = Liveness(devices: ["a", "b"])
    #expect(liveness.nextChange(after: .zero) == .distantFuture)
    liveness.receive(presence(.ready, 5), of: "a")
    liveness.heartbeat(of: "a", epoch: 5, at: seconds(1))
    #expect(liveness.receive(presence(.ready, 5), of: "stranger") == false)
    let first = liveness.changes(at: seconds(1))
    #expect(first.count == 1)
    #expect(first.first?.device == "a" && first.first?.to == .alive && first.first?.epoch == 5)
    #expect(liveness.changes(at: seconds(2)).count == 0)
    let next = liveness.nextChange(after: seconds(2))
    #expect(next == seconds(4))
    #expect(liveness.changes(at: next).map(\.to) == [.suspect])
    #expect(liveness.nextChange(after: next) == .distantFuture)
    #expect(liveness.state(of: "b", at: next) == .unknown)
    #expect(liveness.epoch(of: "a") == 5 && liveness.epoch(of: "b") == nil)
    liveness.part(of: "a", epoch: 5, at: seconds(5))
    #expect(liveness.state(of: "a", at: seconds(5)) == .alive)
    liveness.missDeadline(of: "a")
    #expect(liveness.changes(at: seconds(5)).count == 0)
  }

  /// Whoever is cut off counts on nobody before hearing them again.
  /// All go by way of one broker: whoever says that its messages are late speaks for everybody, for as long.
  @Test func latenessIsShared() {
    var liveness = Liveness(devices: ["a", "b"])
    for device in ["a", "b"] { liveness.receive(presence(.ready, 5), of: device) }
    liveness.heartbeat(of: "b", epoch: 5, promise: 100, at: seconds(1))
    #expect(!liveness.isSlow(at: seconds(1)))
    // A quarter more than it promises.
    liveness.heartbeat(of: "a", epoch: 5, promise: 4000, at: seconds(1))
    #expect(liveness.lateness(at: seconds(1)) == 5_000_000_000)
    #expect(liveness.isSlow(at: seconds(5.9)) && !liveness.isSlow(at: seconds(6)))
    // Less lateness counts once that is over.
    liveness.heartbeat(of: "a", epoch: 5, promise: 2000, at: seconds(3))
    #expect(liveness.lateness(at: seconds(3)) == 5_000_000_000)
    liveness.heartbeat(of: "a", epoch: 5, promise: 2000, at: seconds(7))
    #expect(liveness.lateness(at: seconds(7)) == 2_500_000_000)
    #expect(liveness.slack(of: "b", at: seconds(7)) == 2_500_000_000)
    #expect(liveness.slack(of: "a", at: seconds(7)) == 5_000_000_000)
  }

  /// One's own counts twice, for what is lost on such a way takes as long again.
  @Test func ownLatenessIsAllowedTwice() {
    var liveness = Liveness(devices: ["a"])
    liveness.receive(presence(.ready, 5), of: "a")
    liveness.heartbeat(of: "a", epoch: 5, at: seconds(1))
    let silence = liveness.nextChange(after: seconds(1)).nanoseconds
    liveness.listens(late: .seconds(3), isBehind: true)
    #expect(liveness.nextChange(after: seconds(1)).nanoseconds == silence + 6_000_000_000)
  }

  /// A doubt ends with the next word, a missed deadline does not.
  @Test func aDoubtEndsWithAWord() {
    var liveness = Liveness(devices: ["a"])
    liveness.receive(presence(.ready, 5), of: "a")
    liveness.heartbeat(of: "a", epoch: 5, at: seconds(1))
    liveness.doubt("a")
    #expect(liveness.state(of: "a", at: seconds(1)) == .suspect)
    liveness.heartbeat(of: "a", epoch: 5, at: seconds(1.1))
    #expect(liveness.state(of: "a", at: seconds(1.1)) == .alive)
  }

  @Test func beingCutOffRaisesDoubts() {
    var liveness = Liveness(devices: ["a", "b"])
    for device in ["a", "b"] { liveness.receive(presence(.ready, 5), of: device) }
    liveness.heartbeat(of: "a", epoch: 5, at: seconds(1))
    liveness.doubtEverybody()
    #expect(liveness.state(of: "a", at: seconds(1)) == .suspect)
    // Nothing was heard of it before either.
    #expect(liveness.state(of: "b", at: seconds(1)) == .unknown)
    // Presence that the broker kept proves nothing, a beat does.
    liveness.receive(presence(.ready, 5), of: "a")
    #expect(liveness.state(of: "a", at: seconds(1)) == .suspect)
    #expect(liveness.nextChange(after: seconds(1)) == .distantFuture)
    liveness.heartbeat(of: "a", epoch: 5, at: seconds(2))
    #expect(liveness.state(of: "a", at: seconds(2)) == .alive)
  }

  @Test(
    arguments: [
      (.ready, 7, .ready, .superseded(epoch: 7)), (.lost, 7, .ready, .takeOver(epoch: 7)),
      (.offline, 7, nil, .takeOver(epoch: 7)), (.ready, 10, .ready, .republish),
      (.lost, 10, .ready, .republish), (.ready, 10, nil, .fine),
      (.ready, 9, nil, .superseded(epoch: 9)),
      (.ready, 7, nil, .superseded(epoch: 7)), (.ready, 5, .ready, .fine),
      (.starting, 5, .ready, .fine), (.lost, 5, .ready, .republish),
      (.lost, 5, .draining, .republish), (.lost, 5, .offline, .fine),
      (.offline, 5, .offline, .fine),
      (.lost, 4, .ready, .republish), (.ready, 4, .ready, .republish), (.ready, 4, nil, .fine),
      (.lost, 4, .offline, .fine),
    ] as [(Presence.State, UInt64, Presence.State?, OwnPresence)])
  func ownPresence(
    seen: Presence.State, epoch: UInt64, published: Presence.State?, verdict: OwnPresence
  ) {
    #expect(
      OwnPresence.judge(presence(seen, epoch), ownEpoch: 5, published: published, latest: 9)
        == verdict)
  }
}
