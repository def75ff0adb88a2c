package import Foundations

/// How fast a connection takes what is published, measured while something waits for it.
///
/// What the system takes at once says nothing: it fills a buffer. Where that is empty each time, the
/// connection is faster than was measured, which may have been while the broker stood still.
package struct DrainRate {
  /// Over less than this, in nanoseconds, the filling of buffers counts too much.
  static let window: UInt64 = 100_000_000
  /// Below so many bytes a second a connection is slow.
  package static let slow = 2e6
  /// From so many bytes a second on nobody asks how fast it is.
  static let fast = 1e7

  private var since: MonotonicTime?
  private var written = 0
  /// Bytes a second; nil before anything had to wait for that long, and on a fast connection.
  package private(set) var bytesPerSecond: Double?

  /// Nothing waits.
  package init() {}

  /// Whether it is known to be slow.
  package var isSlow: Bool { bytesPerSecond.map { $0 < Self.slow } ?? false }

  /// Takes a first guess.
  package mutating func suppose(_ rate: Double) {
    if bytesPerSecond == nil { settle(rate) }
  }

  /// Something has to wait from now on, if nothing had to before.
  package mutating func waits(at now: MonotonicTime) {
    guard since == nil else { return }
    since = now
    written = 0
  }

  /// Something that waited is written.
  ///
  /// - Parameter isLast: whether nothing waits any more.
  package mutating func wrote(_ bytes: Int, isLast: Bool, at now: MonotonicTime) {
    guard let start = since else { return }
    written += bytes
    let span = now.nanoseconds(since: start)
    if span >= Self.window {
      let rate = Double(written) * 1e9 / Double(span)
      settle(bytesPerSecond.map { ($0 + rate) / 2 } ?? rate)
      since = now
      written = 0
    }
    if isLast { since = nil }
  }

  /// Something is published while nothing waits, here or in the system.
  package mutating func flows() {
    if since == nil, let rate = bytesPerSecond { settle(rate * 1.25) }
  }

  /// The connection is gone, what waited for it, and what was known of it.
  package mutating func reset() { self = DrainRate() }

  private mutating func settle(_ rate: Double) {
    bytesPerSecond = rate < Self.fast ? rate : nil
  }
}
