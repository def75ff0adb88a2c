package import Foundations

/// When a device must say again what it is, because its retained words were cleared, overwritten or
/// damaged: at once, and at most once a second, however often that happens.
package struct Restatement: Sendable {
  private static let interval: UInt64 = 1_000_000_000

  private var last: MonotonicTime?
  /// When to say it again; `distantFuture` if there is no reason to.
  package private(set) var due = MonotonicTime.distantFuture

  /// Nothing to say again.
  package init() {}

  /// What is retained is not what the device said.
  package mutating func want(at now: MonotonicTime) {
    guard due == .distantFuture else { return }
    due = max(now, last?.adding(nanoseconds: Self.interval) ?? now)
  }

  /// Whether to say it now; true once for each reason.
  package mutating func take(at now: MonotonicTime) -> Bool {
    guard now >= due else { return false }
    due = .distantFuture
    last = now
    return true
  }
}
