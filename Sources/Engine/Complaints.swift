package import Foundations

/// What was complained of lately, so that a steady cause fills no log. Bounded by how many different
/// complaints there are.
package struct Complaints {
  /// Nanoseconds between two lines about the same.
  private static let interval: UInt64 = 10_000_000_000

  private var last: [String: MonotonicTime] = [:]

  /// Nothing was complained of.
  package init() {}

  /// Whether to say it now.
  package mutating func allows(_ text: String, at now: MonotonicTime) -> Bool {
    if let before = last[text], now.nanoseconds(since: before) < Self.interval { return false }
    last[text] = now
    return true
  }
}
