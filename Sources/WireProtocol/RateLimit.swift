import Foundations

/// A bucket that holds so many tokens and gets new ones at a steady rate.
struct RateLimit: Sendable {
  private let capacity: Double
  private let perNanosecond: Double
  private var tokens: Double
  private var last: MonotonicTime?

  /// A full bucket.
  init(burst: Int, perSecond: Int) {
    capacity = Double(burst)
    perNanosecond = Double(perSecond) / 1e9
    tokens = capacity
  }

  /// Takes a token; false when there is none.
  mutating func take(at now: MonotonicTime) -> Bool {
    if let last {
      tokens = min(capacity, tokens + Double(now.nanoseconds(since: last)) * perNanosecond)
    }
    last = max(last ?? now, now)
    guard tokens >= 1 else { return false }
    tokens -= 1
    return true
  }
}
