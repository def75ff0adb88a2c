package import Foundations

/// What a worker or gateway says of itself, and when: a state after each connection and each change,
/// again before the broker forgets it, and again when somebody else's words stand in its place.
///
/// Whoever holds it publishes the words that it returns, retained and in their order, and passes on
/// what comes under the own name.
package struct PresenceKeeper: Sendable {
  /// Something to publish now.
  package enum Word: Sendable, Equatable {
    /// What it is. Comes before the word that it may be used.
    case description
    /// How it is. Heartbeats follow it, from the first at once, unless the state is one of the gone.
    case presence(Presence)
  }

  /// What a message under the own name means.
  package enum Verdict: Sendable, Equatable {
    /// The own words, or others' that do no harm now.
    case fine
    /// The own words are no longer there, or are a will's or an earlier run's: `work` says them again.
    case restate
    /// The same, for something that is no message of the contract.
    case unreadable
    /// The same, for an epoch so far ahead of the clock that it cannot be right. Peers whose clocks are
    /// not set may believe it.
    case impossible(epoch: UInt64)
    /// Stop: another process uses the name, and is newer.
    case superseded(epoch: UInt64)
    /// Stop and begin anew with a higher epoch than this: a run that has ended had it.
    case takeOver(epoch: UInt64)
  }

  /// How long the broker may keep a presence before it is said again, well within
  /// `Presence.expirySeconds`.
  package static let refresh = Duration.seconds(60)

  /// The description that belongs to the own name.
  package let description: DeviceDescription
  /// The presence to say: that of the last `say`, or the first one.
  package private(set) var standing: Presence
  private var isConnected = false
  /// When the presence was said last; nil before that.
  private var lastSaid: MonotonicTime?
  private var restatement = Restatement()

  /// Nothing is said before the first connection or `say`.
  ///
  /// - Parameter first: what is said after the first connection.
  package init(description: DeviceDescription, first: Presence) {
    self.description = description
    standing = first
  }

  // MARK: To say

  /// The broker took the client, for the first time or again, and answers its subscriptions.
  package mutating func connected(at now: MonotonicTime) -> [Word] {
    isConnected = true
    guard !standing.state.isGone else { return [] }
    return [.description] + say(standing.state, at: now)
  }

  /// The connection is lost: until the next one there is nothing to keep.
  package mutating func disconnected() { isConnected = false }

  /// The state is another one, or shall be said in any case.
  package mutating func say(_ state: Presence.State, at now: MonotonicTime) -> [Word] {
    standing = standing.with(state)
    lastSaid = now
    return [.presence(standing)]
  }

  /// Says again what time or others have made necessary; call it when `due` has come.
  package mutating func work(at now: MonotonicTime) -> [Word] {
    let isWanted = restatement.take(at: now)
    guard isConnected, isKept else { return [] }
    if isWanted { return [.description] + say(standing.state, at: now) }
    return now >= refreshDue ? say(standing.state, at: now) : []
  }

  /// When `work` may have something to say.
  package var due: MonotonicTime { min(restatement.due, refreshDue) }

  private var refreshDue: MonotonicTime {
    guard isConnected, isKept, let lastSaid else { return .distantFuture }
    return lastSaid + Self.refresh
  }

  /// Whether something is retained that must stay true.
  private var isKept: Bool { lastSaid != nil && !standing.state.isGone }

  // MARK: To hear

  /// The latest epoch that can be right.
  ///
  /// - Parameter clock: the wall clock, in milliseconds since 1970.
  package func latestEpoch(clock: UInt64) -> UInt64 {
    max(Epoch.latest(unixMilliseconds: clock), standing.epoch)
  }

  /// Presence under the own name came, live or retained.
  ///
  /// - Parameters:
  ///   - payload: the message; empty where somebody cleared the topic.
  ///   - clock: the wall clock, in milliseconds since 1970.
  package mutating func hear(
    presence payload: [UInt8], clock: UInt64, at now: MonotonicTime
  ) -> Verdict {
    guard !payload.isEmpty else { return restate(.restate, at: now) }
    guard let seen = try? Presence(payload: payload, source: "presence") else {
      want(at: now)
      return .unreadable
    }
    let own = lastSaid == nil ? nil : standing.state
    switch OwnPresence.judge(
      seen, ownEpoch: standing.epoch, published: own, latest: latestEpoch(clock: clock))
    {
    case .fine: return .fine
    case .superseded(let epoch): return .superseded(epoch: epoch)
    case .takeOver(let epoch): return .takeOver(epoch: epoch)
    case .republish:
      return restate(
        seen.epoch > standing.epoch ? .impossible(epoch: seen.epoch) : .restate, at: now)
    }
  }

  /// A heartbeat under the own name came. Every beat of a newer namesake tells again what its presence
  /// told once.
  package func hear(_ beat: Heartbeat, clock: UInt64) -> Verdict {
    beat.epoch > standing.epoch && beat.epoch <= latestEpoch(clock: clock)
      ? .superseded(epoch: beat.epoch) : .fine
  }

  /// A description under the own name came, live or retained; empty where somebody cleared the topic.
  package mutating func hear(description payload: [UInt8], at now: MonotonicTime) -> Verdict {
    let seen = try? DeviceDescription(payload: payload, source: "desc")
    return seen == description ? .fine : restate(.restate, at: now)
  }

  private mutating func restate(_ verdict: Verdict, at now: MonotonicTime) -> Verdict {
    guard isKept else { return .fine }
    want(at: now)
    return verdict
  }

  private mutating func want(at now: MonotonicTime) {
    if isKept { restatement.want(at: now) }
  }
}
