package import Foundations

/// When a worker that was told to stop may go: once it has finished its frames and no client counts
/// on it any more.
///
/// Clients learn of `draining` a moment after it is said. Until then they send frames that count on
/// this device, and to leave those undone would cost the others a deadline.
package struct Drain: Sendable {
  /// Without frames for this long, every client has heard.
  static let quiet = Duration.milliseconds(150)

  /// Over slow links frames may take so many times the limit, and no more.
  static let patience = 20

  private let limit: Duration
  private let lastEnd: MonotonicTime
  private var end: MonotonicTime
  private var lastFrame: MonotonicTime

  /// Begins now.
  ///
  /// - Parameter limit: after this it ends whatever is left, unless it moves.
  package init(now: MonotonicTime, limit: Duration) {
    self.limit = limit
    end = now + limit
    lastEnd = now + limit * Self.patience
    lastFrame = now
  }

  /// Something of what is left was seen to move over a slow link: it gets the limit anew.
  package mutating func moved(at now: MonotonicTime) { end = max(end, min(now + limit, lastEnd)) }

  /// A frame came that counts on this device.
  package mutating func counted(at now: MonotonicTime) { lastFrame = now }

  /// Whether to go, with so many frames left.
  package func isOver(queue: Int, now: MonotonicTime) -> Bool {
    now >= (queue == 0 ? quietEnd : end)
  }

  /// When to ask again, with so many frames left.
  package func wake(queue: Int) -> MonotonicTime { queue == 0 ? quietEnd : end }

  private var quietEnd: MonotonicTime {
    min(lastFrame + Self.quiet, end)
  }
}
