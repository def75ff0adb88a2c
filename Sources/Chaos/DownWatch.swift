package import Foundations

/// Finds answers that waited for a device long after it was known to be down.
///
/// A part that is missing for the reason `deadline` was waited for in vain. That may happen while
/// nobody knows better: for frames that began before the device can have been noticed. It may also
/// happen when nothing at all was heard for a while (no broker, or this process was not given the
/// processor): then everybody is suspect and the frame waits for all, for want of anything better.
package struct DownWatch: Sendable {
  /// How long after its last word a device is known to be down: three beats of half a second, and
  /// as much again for the frames under way then.
  package static let notice = Duration.seconds(3)

  private var down: [Int: MonotonicTime] = [:]
  private var deafUntil = MonotonicTime.zero

  /// All there.
  package init() {}

  /// A device goes down.
  package mutating func goesDown(_ device: Int, at now: MonotonicTime) { down[device] = now }

  /// A device comes back.
  package mutating func comesBack(_ device: Int) { down[device] = nil }

  /// Nothing is heard of anybody.
  package mutating func hearsNobody(at now: MonotonicTime) {
    deafUntil = max(deafUntil, now + Self.notice)
  }

  /// Whether a device that kept an answer waiting was known to be down when the frame was submitted.
  package func wasKnown(_ device: Int, submitted: MonotonicTime) -> Bool {
    guard let since = down[device], submitted > deafUntil else { return false }
    return submitted > since + Self.notice
  }
}
