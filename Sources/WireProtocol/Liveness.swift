package import Foundations

/// The liveness of the peers that a plan names. Others are ignored, which bounds memory.
package struct Liveness: Sendable {
  /// A peer's state that is not what it was when last asked.
  package struct Change: Sendable, Equatable {
    /// The peer.
    package var device: String
    /// Its state before.
    package var from: PeerState
    /// Its state now.
    package var to: PeerState
    /// Its newest known epoch.
    package var epoch: UInt64
  }

  private struct Peer {
    var liveness = PeerLiveness()
    var reported = PeerState.unknown
  }

  /// Nanoseconds without a word of anybody after which the receiver itself may be cut off, or the
  /// broker stand still. Whoever waits for somebody beats several times as often.
  static let deafness: UInt64 = 250_000_000

  /// The peers, in the order given.
  package let devices: [String]
  private var peers: [String: Peer]
  /// When anybody was heard last.
  private var lastHeard: MonotonicTime?
  /// When somebody was heard again after nobody had been for long: until then nobody was silent.
  private var listeningSince = MonotonicTime.zero
  /// How late what others say comes here; see `EchoBook`. Nobody is silent by that.
  private var lag: UInt64 = 0
  /// How late any peer has said that its messages are, in nanoseconds, and until when that counts.
  private var shared: (lateness: UInt64, end: MonotonicTime) = (0, .zero)

  /// Nothing is known of any of `devices` yet. Leave the own device out.
  package init(devices: [String]) {
    self.devices = devices
    peers = Dictionary(devices.map { ($0, Peer()) }, uniquingKeysWith: { first, _ in first })
  }

  /// Whether messages wait on their way here now.
  package private(set) var isBehind = false

  /// Takes how late what others say comes here.
  ///
  /// - Parameter isBehind: whether messages wait on their way here now.
  package mutating func listens(late lag: Duration, isBehind: Bool) {
    self.lag = lag.nanoseconds
    self.isBehind = isBehind
  }

  /// For how much longer anybody may be silent than over a fast connection, in nanoseconds.
  ///
  /// Own lateness counts twice: what is late by the queues on its way is as late again when one packet is lost
  /// in them and has to be sent anew. Peers' counts as well, for all go by way of the broker, and a client does
  /// not know how late it hears: it says nothing that would come back to it.
  package func lateness(at now: MonotonicTime) -> UInt64 {
    max(2 * lag, now < shared.end ? shared.lateness : 0)
  }

  /// Whether messages come late to anybody, by what is known here.
  package func isSlow(at now: MonotonicTime) -> Bool { lateness(at: now) > 0 }

  /// Until when everything that was said has come.
  private func heard(at now: MonotonicTime) -> MonotonicTime {
    MonotonicTime(nanoseconds: now.nanoseconds - min(lateness(at: now), now.nanoseconds))
  }

  /// Presence of a peer came. False when the peer is unknown or the epoch old.
  @discardableResult
  package mutating func receive(_ presence: Presence, of device: String) -> Bool {
    peers[device]?.liveness.receive(presence) ?? false
  }

  /// A heartbeat of a peer came. False when the peer is unknown or the epoch not that of its presence.
  ///
  /// - Parameter promise: within how many milliseconds the next one follows, if it says so.
  @discardableResult
  package mutating func heartbeat(
    of device: String, epoch: UInt64, promise: UInt64? = nil, at now: MonotonicTime
  ) -> Bool {
    heardAnybody(at: now)
    guard peers[device]?.liveness.heartbeat(epoch: epoch, promise: promise, at: now) == true else {
      return false
    }
    let late = (peers[device]?.liveness.lateness ?? 0) * 1_000_000
    if late > 0, late >= shared.lateness || now >= shared.end {
      shared = (late, now.adding(nanoseconds: late))
    }
    return true
  }

  /// A message came, of a peer or the receiver's own by way of the broker: the broker and the way to
  /// it work.
  package mutating func heardAnybody(at now: MonotonicTime) {
    if now.nanoseconds(since: lastHeard ?? .zero) > Self.deafness { listeningSince = now }
    lastHeard = now
  }

  /// When a peer that is waited for since `start` is held to stand still, unless it is heard of before;
  /// nil for one that is not known to have said anything. While nobody at all is heard, that is no
  /// silence of the peer.
  package func quietEnd(
    of device: String, since start: MonotonicTime, at now: MonotonicTime
  ) -> MonotonicTime? {
    guard
      let end = peers[device]?.liveness.quietEnd(since: max(start, listeningSince))?
        .adding(nanoseconds: lateness(at: now))
    else { return nil }
    let isDeaf = now.nanoseconds(since: lastHeard ?? .zero) > Self.deafness
    return isDeaf ? max(end, now.adding(milliseconds: 50)) : end
  }

  /// A part of a peer came. False when the peer is unknown or the epoch old.
  @discardableResult
  package mutating func part(
    of device: String, epoch: UInt64, at now: MonotonicTime, inTime: Bool = true
  ) -> Bool {
    heardAnybody(at: now)
    return peers[device]?.liveness.part(epoch: epoch, at: now, inTime: inTime) ?? false
  }

  /// How much later than over a fast connection what a peer knows may be known here, in nanoseconds.
  package func slack(of device: String, at now: MonotonicTime) -> UInt64 {
    lateness(at: now) + (peers[device]?.liveness.lateness ?? 0) * 1_000_000
  }

  /// A piece of a part of a peer came, which is a sign of life.
  package mutating func piece(of device: String, epoch: UInt64, at now: MonotonicTime) {
    heardAnybody(at: now)
    _ = peers[device]?.liveness.part(epoch: epoch, at: now, inTime: false)
  }

  /// A peer runs another plan, or no longer does.
  ///
  /// - Returns: whether that is news.
  @discardableResult
  package mutating func fence(_ device: String, _ isFenced: Bool) -> Bool {
    guard let peer = peers[device], peer.liveness.isFenced != isFenced else { return false }
    peers[device]?.liveness.isFenced = isFenced
    return true
  }

  /// An exchange went on without a peer's part: it is suspect until a part comes in time.
  ///
  /// - Parameter wasFree: whether nothing was lost by it.
  package mutating func missDeadline(of device: String, wasFree: Bool = false) {
    peers[device]?.liveness.missDeadline(wasFree: wasFree)
  }

  /// A peer sent what cannot be right: it is suspect for a while.
  package mutating func distrust(_ device: String, at now: MonotonicTime) {
    peers[device]?.liveness.distrust(at: now)
  }

  /// Whether a peer is suspect only because it was late where nothing was lost by it.
  package func isMerelyLate(_ device: String, at now: MonotonicTime) -> Bool {
    peers[device]?.liveness.isMerelyLate(at: heard(at: now)) ?? false
  }

  /// The receiver could not listen for some nanoseconds, which are nobody's silence.
  package mutating func postpone(by nanoseconds: UInt64) {
    for device in devices { peers[device]?.liveness.postpone(by: nanoseconds) }
    lastHeard = lastHeard?.adding(nanoseconds: nanoseconds)
  }

  /// The receiver is cut off from everybody: all are suspect until they are heard again.
  package mutating func doubtEverybody() {
    for device in devices { peers[device]?.liveness.doubt() }
  }

  /// A peer has been silent for too long: it is suspect until it is heard again.
  package mutating func doubt(_ device: String) { peers[device]?.liveness.doubt() }

  /// What is known of a peer now.
  package func state(of device: String, at now: MonotonicTime) -> PeerState {
    peers[device]?.liveness.state(at: heard(at: now)) ?? .unknown
  }

  /// What a peer has last said of itself, if anything of its newest epoch.
  package func presence(of device: String) -> Presence? { peers[device]?.liveness.lastPresence }

  /// The newest epoch of a peer, or nil when none is known.
  package func epoch(of device: String) -> UInt64? {
    guard let epoch = peers[device]?.liveness.epoch, epoch > 0 else { return nil }
    return epoch
  }

  /// The states that differ from those of the last call, in the order of `devices`. Call it after
  /// feeding messages and when the moment given by `nextChange` has come.
  package mutating func changes(at now: MonotonicTime) -> [Change] {
    var changes: [Change] = []
    for device in devices {
      guard let peer = peers[device] else { continue }
      let state = peer.liveness.state(at: heard(at: now))
      guard state != peer.reported else { continue }
      changes.append(
        Change(device: device, from: peer.reported, to: state, epoch: peer.liveness.epoch))
      peers[device]?.reported = state
    }
    return changes
  }

  /// When silence alone would next change a state; `distantFuture` when it would not.
  package func nextChange(after now: MonotonicTime) -> MonotonicTime {
    let heard = heard(at: now)
    return peers.values.lazy.compactMap { $0.liveness.nextChange(after: heard) }.min()?
      .adding(nanoseconds: lateness(at: now)) ?? .distantFuture
  }
}
