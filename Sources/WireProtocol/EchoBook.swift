package import Foundations

/// How late a device's own heartbeats come back to it by way of the broker.
///
/// A broker gives each client its messages in the order in which it got them. Whatever waits before an own
/// heartbeat, here on its way out or at the broker on its way back, delays what others say just as much:
/// until the heartbeat is back, their silence says nothing. And whoever waits for this device hears of
/// it no sooner.
package struct EchoBook: Sendable {
  /// What is no lateness: a crowded machine is as slow.
  package static let tolerance = Duration.milliseconds(200)
  /// What is later than this does not come at all.
  package static let longest = Duration.seconds(30)
  /// Heartbeats that are remembered until they return.
  static let remembered = 512

  /// A lateness that has faded to less than this, in nanoseconds, is over.
  private static let negligible: UInt64 = 10_000_000

  private struct Beat: Sendable {
    var sequence: UInt64
    var sent: MonotonicTime
  }

  /// The oldest first.
  private var underWay: [Beat] = []
  private var lastSent: MonotonicTime?
  /// Within how many nanoseconds of the last one the next was to follow.
  private var gap: UInt64 = 0
  /// The lateness of the last ones, in nanoseconds: the worst, which fades.
  private var worst: UInt64 = 0
  /// Whether the last one that came back was late.
  private var wasLate = false
  /// Whether any has come back over this connection. Not every access list lets a device hear itself.
  private var returns = false

  /// Nothing has been sent.
  package init() {}

  /// A heartbeat is sent.
  ///
  /// - Parameter next: within which time another follows. If one did not, this process stood still, which
  ///   is no lateness of what it had sent.
  package mutating func sent(_ sequence: UInt64, next: Duration, at now: MonotonicTime) {
    if let lastSent {
      let away = now.nanoseconds(since: lastSent.adding(nanoseconds: gap + gap / 2))
      for index in underWay.indices {
        underWay[index].sent = min(underWay[index].sent.adding(nanoseconds: away), now)
      }
    }
    if underWay.count >= Self.remembered { underWay.removeFirst() }
    underWay.append(Beat(sequence: sequence, sent: now))
    lastSent = now
    gap = next.nanoseconds
  }

  /// A heartbeat could not be sent.
  package mutating func failed(_ sequence: UInt64) {
    underWay.removeAll { $0.sequence == sequence }
  }

  /// A heartbeat has come back; those before it will not.
  package mutating func returned(_ sequence: UInt64, at now: MonotonicTime) {
    guard let index = underWay.lastIndex(where: { $0.sequence == sequence }) else { return }
    returns = true
    let late = lateness(of: underWay[index], at: now)
    let faded = worst / 8 * 7
    worst = max(late, faded < Self.negligible ? 0 : faded)
    wasLate = late > 0
    underWay.removeFirst(index + 1)
  }

  /// What was under way is lost, and how late it was says nothing of the next connection.
  package mutating func connectionLost() {
    underWay = []
    worst = 0
    returns = false
    wasLate = false
  }

  /// How late messages have been coming lately, or are by now; zero on a connection that is up to the traffic,
  /// and on one that brings back nothing.
  package func lag(at now: MonotonicTime) -> Duration {
    let present = returns ? underWay.first.map { lateness(of: $0, at: now) } ?? 0 : 0
    return min(.nanoseconds(Int64(clamping: max(present, worst))), Self.longest)
  }

  /// Whether messages are late now.
  package func isBehind(at now: MonotonicTime) -> Bool {
    wasLate || (returns && underWay.first.map { lateness(of: $0, at: now) > 0 } ?? false)
  }

  private func lateness(of beat: Beat, at now: MonotonicTime) -> UInt64 {
    // No heartbeat either: this process stood still.
    let end = lastSent.map { min(now, $0.adding(nanoseconds: gap + gap / 2)) } ?? now
    return end.nanoseconds(since: beat.sent.adding(nanoseconds: Self.tolerance.nanoseconds))
  }
}
