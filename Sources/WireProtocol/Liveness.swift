public import TensorCore

/// The liveness of the peers that a plan names. Others are ignored, which bounds memory.
public struct Liveness: Sendable {
  /// A peer's state that is not what it was when last asked.
  public struct Change: Sendable, Equatable {
    /// The peer.
    public var device: String
    /// Its state before.
    public var from: PeerState
    /// Its state now.
    public var to: PeerState
    /// Its newest known epoch.
    public var epoch: UInt64
  }

  private struct Peer {
    var liveness = PeerLiveness()
    var reported = PeerState.unknown
  }

  /// The peers, in the order given.
  public let devices: [String]
  private var peers: [String: Peer]

  /// Nothing is known of any of `devices` yet. Leave the own device out.
  public init(devices: [String]) {
    self.devices = devices
    peers = Dictionary(devices.map { ($0, Peer()) }, uniquingKeysWith: { first, _ in first })
  }

  /// Presence of a peer came. False when the peer is unknown or the epoch old.
  @discardableResult
  public mutating func receive(_ presence: Presence, of device: String) -> Bool {
    peers[device]?.liveness.receive(presence) ?? false
  }

  /// A heartbeat of a peer came. False when the peer is unknown or the epoch old.
  @discardableResult
  public mutating func heartbeat(
    of device: String, epoch: UInt64, at now: MonotonicTime
  ) -> Bool {
    peers[device]?.liveness.heartbeat(epoch: epoch, at: now) ?? false
  }

  /// A part of a peer came. False when the peer is unknown or the epoch old.
  @discardableResult
  public mutating func part(
    of device: String, epoch: UInt64, at now: MonotonicTime, inTime: Bool = true
  ) -> Bool {
    peers[device]?.liveness.part(epoch: epoch, at: now, inTime: inTime) ?? false
  }

  /// A peer runs another plan, or no longer does.
  ///
  /// - Returns: whether that is news.
  @discardableResult
  public mutating func fence(_ device: String, _ isFenced: Bool) -> Bool {
    guard let peer = peers[device], peer.liveness.isFenced != isFenced else { return false }
    peers[device]?.liveness.isFenced = isFenced
    return true
  }

  /// An exchange went on without a peer's part: it is suspect until a part comes in time.
  public mutating func missDeadline(of device: String) { peers[device]?.liveness.missDeadline() }

  /// The receiver could not listen for some nanoseconds, which are nobody's silence.
  public mutating func postpone(by nanoseconds: UInt64) {
    for device in devices { peers[device]?.liveness.postpone(by: nanoseconds) }
  }

  /// The receiver is cut off from everybody: all are suspect until they are heard again.
  public mutating func doubtEverybody() {
    for device in devices { peers[device]?.liveness.doubt() }
  }

  /// What is known of a peer now.
  public func state(of device: String, at now: MonotonicTime) -> PeerState {
    peers[device]?.liveness.state(at: now) ?? .unknown
  }

  /// What a peer has last said of itself, if anything of its newest epoch.
  public func presence(of device: String) -> Presence? { peers[device]?.liveness.lastPresence }

  /// The newest epoch of a peer, or nil when none is known.
  public func epoch(of device: String) -> UInt64? {
    guard let epoch = peers[device]?.liveness.epoch, epoch > 0 else { return nil }
    return epoch
  }

  /// The states that differ from those of the last call, in the order of `devices`. Call it after
  /// feeding messages and when the moment given by `nextChange` has come.
  public mutating func changes(at now: MonotonicTime) -> [Change] {
    var changes: [Change] = []
    for device in devices {
      guard let peer = peers[device] else { continue }
      let state = peer.liveness.state(at: now)
      guard state != peer.reported else { continue }
      changes.append(
        Change(device: device, from: peer.reported, to: state, epoch: peer.liveness.epoch))
      peers[device]?.reported = state
    }
    return changes
  }

  /// When silence alone would next change a state; `distantFuture` when it would not.
  public func nextChange(after now: MonotonicTime) -> MonotonicTime {
    peers.values.lazy.compactMap { $0.liveness.nextChange(after: now) }.min() ?? .distantFuture
  }
}
