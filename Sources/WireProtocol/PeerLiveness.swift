package import Foundations

/// What is known about a peer.
package enum PeerState: String, Sendable, Codable, CaseIterable {
  /// No word of it that can be trusted yet; a retained `ready` without a sign of life is none.
  case unknown
  /// Ready, and heard of within three beats.
  case alive
  /// It finishes what it has and takes no new frames.
  case draining
  /// Ready, but silent for three beats or past a deadline.
  case suspect
  /// Its will or its own goodbye was received.
  case lost
  /// It lives but is shut out, because it runs another plan.
  case fenced

  /// How an answer calls a device in this state; nil for one that is awaited.
  package var missingReason: MissingReason? {
    switch self {
    case .alive: nil
    case .suspect: .suspect
    case .unknown, .draining, .lost, .fenced: .lost
    }
  }
}

/// The liveness of one peer, on the receiver's monotonic clock.
///
/// Alive means: `ready` presence, and a heartbeat or a part of the same epoch within three beats.
/// Whatever belongs to an older epoch than the newest one known is ignored, so neither a late will
/// nor a retained message of an earlier run can change anything. Presence alone tells the epoch: a
/// heartbeat or a part of a later one, be it forged, damaged, or of a run whose presence is still on
/// the way, proves nothing before presence has named it.
package struct PeerLiveness: Sendable {
  /// How many beats may pass in silence.
  package static let beats: UInt64 = 3
  /// The longest promise of the next beat that is believed, in milliseconds, unless three beats are longer.
  package static let longestPromise: UInt64 = 10_000
  /// How long after its next beat was promised a peer that is waited for may stay silent, in
  /// milliseconds. A process that stands still for 300 ms, or a crowded machine, is not taken for a
  /// frozen one.
  package static let grace: UInt64 = 400

  /// The newest epoch that the peer's presence has named; zero when none has.
  package private(set) var epoch: UInt64 = 0
  private var presence: Presence?
  private var lastSign: MonotonicTime?
  /// The last sign of life of an epoch that presence has not named yet.
  private var unconfirmed: (epoch: UInt64, at: MonotonicTime)?
  private var missedDeadline = false
  /// Whether it was late where nothing was lost by it.
  private var wasLate = false
  /// Until when nothing that it computes is counted on, and how often that has happened.
  private var distrustedUntil: MonotonicTime?
  private var distrusts = 0
  /// Within how many milliseconds of its last heartbeat it promised the next.
  private var promise: UInt64?
  /// Whether the receiver was cut off since the last sign of life.
  private var isDoubted = false
  /// Whether it runs another plan.
  package var isFenced = false

  /// A peer of which nothing is known.
  package init() {}

  /// Presence came, live or retained. It is no sign of life by itself.
  ///
  /// After `lost` or `offline`, only `ready` and then a new sign of life bring the peer back.
  /// - Returns: whether it was used; false for that of an older epoch.
  package mutating func receive(_ presence: Presence) -> Bool {
    guard adopt(presence.epoch) else { return false }
    if presence.state.isGone { lastSign = nil }
    self.presence = presence
    if let sign = unconfirmed, sign.epoch <= epoch {
      unconfirmed = nil
      if sign.epoch == epoch { _ = self.sign(epoch: epoch, at: sign.at) }
    }
    return true
  }

  /// A heartbeat came.
  ///
  /// - Parameter promise: within how many milliseconds the next one follows, if it says so.
  /// - Returns: whether it was used; false for one of another epoch than that of its presence.
  package mutating func heartbeat(
    epoch: UInt64, promise: UInt64? = nil, at now: MonotonicTime
  ) -> Bool {
    guard sign(epoch: epoch, at: now) else { return false }
    self.promise = promise
    return true
  }

  /// A part came: as good a sign of life as a heartbeat, and if it came in time the only one that ends
  /// the suspicion raised by a missed deadline. A part of a frame that is long over proves nothing: a
  /// peer that is always too late would be waited for again and again.
  ///
  /// - Parameter inTime: whether it came while it would have been waited for.
  /// - Returns: whether it was used; false for one of an older epoch.
  package mutating func part(epoch: UInt64, at now: MonotonicTime, inTime: Bool = true) -> Bool {
    guard sign(epoch: epoch, at: now) else { return false }
    if inTime {
      missedDeadline = false
      wasLate = false
    }
    return true
  }

  /// An exchange went on without this peer: it is suspect until it is in time again, or starts anew.
  ///
  /// - Parameter wasFree: whether nothing was lost by it, so that it was not waited for as long as it
  ///   is worth; see `isMerelyLate`.
  package mutating func missDeadline(wasFree: Bool = false) {
    if wasFree { wasLate = true } else { missedDeadline = true }
  }

  /// It sent what cannot be right, and will again as far as anybody knows: it is suspect for two
  /// seconds the first time, and twice as long each time after that, until it starts anew. Parts that
  /// are right do not end that, for only some of its parts may be wrong.
  package mutating func distrust(at now: MonotonicTime) {
    if let end = distrustedUntil, now < end { return }
    let seconds = UInt64(2) << UInt64(min(distrusts, 8))
    distrusts += 1
    distrustedUntil = now.adding(milliseconds: 1000 * seconds)
  }

  private func isDistrusted(at now: MonotonicTime) -> Bool {
    distrustedUntil.map { now < $0 } ?? false
  }

  /// Whether it is suspect for no other reason than having been late where nothing was lost by it.
  /// Where something is, it is worth waiting for.
  package func isMerelyLate(at now: MonotonicTime) -> Bool {
    guard wasLate, !missedDeadline, !isDoubted, !isDistrusted(at: now), let presence,
      presence.epoch == epoch,
      let silence = silenceEnd(presence)
    else { return false }
    return presence.state == .ready && now < silence
  }

  /// When a peer that is waited for since `start`, and stays silent, is held to stand still; nil for
  /// one that is not known to have said anything.
  ///
  /// A peer whose machine is loaded goes on beating; one that is stopped or cut off does nothing.
  package func quietEnd(since start: MonotonicTime) -> MonotonicTime? {
    guard let presence, presence.epoch == epoch, let lastSign else { return nil }
    let beats = beats(presence)
    let allowed = promise.map { max(min($0 + Self.grace, beats), late($0, beats)) } ?? beats
    return max(lastSign, start).adding(milliseconds: allowed)
  }

  /// For how many milliseconds it may say nothing although it lives, where it has said that its messages
  /// are late; 0 where it has not.
  package var lateness: UInt64 {
    guard let presence, presence.epoch == epoch, let promise,
      2 * promise > 3 * UInt64(max(presence.heartbeatMilliseconds, 0))
    else { return 0 }
    return late(promise, beats(presence))
  }

  private func beats(_ presence: Presence) -> UInt64 {
    UInt64(max(presence.heartbeatMilliseconds, 0)) * Self.beats
  }

  /// What a promise comes to by itself, and a quarter of it: where a device knows that its messages are
  /// late, it promises the next for later than its beats would be.
  private func late(_ promise: UInt64, _ beats: UInt64) -> UInt64 {
    let believed = min(promise, max(Self.longestPromise, beats))
    return believed + believed / 4
  }

  /// The receiver could not listen for some nanoseconds, which are no silence of the peer.
  package mutating func postpone(by nanoseconds: UInt64) {
    lastSign = lastSign?.adding(nanoseconds: nanoseconds)
  }

  /// The receiver is cut off from everybody: what was heard so far no longer says that a peer lives.
  /// A peer that was heard of becomes suspect until it is heard again.
  package mutating func doubt() {
    isDoubted = true
  }

  /// What is known now.
  package func state(at now: MonotonicTime) -> PeerState {
    guard let presence, presence.epoch == epoch else { return .unknown }
    switch presence.state {
    case .lost, .offline: return .lost
    case .starting: return .unknown
    case .ready, .draining:
      guard let silence = silenceEnd(presence) else { return .unknown }
      if isFenced { return .fenced }
      if now >= silence || missedDeadline || wasLate || isDoubted || isDistrusted(at: now) {
        return .suspect
      }
      return presence.state == .ready ? .alive : .draining
    }
  }

  /// What it has last said of itself, if that was in its newest epoch.
  package var lastPresence: Presence? { presence.flatMap { $0.epoch == epoch ? $0 : nil } }

  /// When silence alone would change the state next, or nil.
  package func nextChange(after now: MonotonicTime) -> MonotonicTime? {
    guard let presence, presence.epoch == epoch, !presence.state.isGone, !isDoubted,
      let end = silenceEnd(presence), end > now
    else { return nil }
    return end
  }

  private func silenceEnd(_ presence: Presence) -> MonotonicTime? {
    let beats = beats(presence)
    return lastSign?.adding(milliseconds: promise.map { max(beats, late($0, beats)) } ?? beats)
  }

  private mutating func sign(epoch: UInt64, at now: MonotonicTime) -> Bool {
    guard epoch == self.epoch, let presence else {
      if epoch > self.epoch { unconfirmed = (epoch, now) }
      return false
    }
    if presence.state.isGone { return true }
    lastSign = max(lastSign ?? now, now)
    isDoubted = false
    return true
  }

  /// Makes room for the presence of a newer epoch; false for an older one.
  private mutating func adopt(_ epoch: UInt64) -> Bool {
    guard epoch >= self.epoch else { return false }
    if epoch > self.epoch {
      self.epoch = epoch
      lastSign = nil
      missedDeadline = false
      wasLate = false
      promise = nil
      distrustedUntil = nil
      distrusts = 0
    }
    return true
  }
}
