/// A moment on the receiver's own monotonic clock. The origin has no meaning; only differences do.
///
/// Nothing in this module reads a clock: the caller passes the time with each event. Arithmetic
/// saturates, so no time read from a peer or a setting can trap.
public struct MonotonicTime: Hashable, Sendable {
  /// Nanoseconds since the clock's origin.
  public var nanoseconds: UInt64

  /// A moment from a reading of `CLOCK_MONOTONIC` or a test's own count.
  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// The earliest moment.
  public static let zero = MonotonicTime(nanoseconds: 0)
  /// Never: a deadline that does not pass.
  public static let distantFuture = MonotonicTime(nanoseconds: .max)

  /// This moment and `nanoseconds` more.
  public func adding(nanoseconds: UInt64) -> MonotonicTime {
    let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
    return overflow ? .distantFuture : MonotonicTime(nanoseconds: sum)
  }

  /// This moment and `milliseconds` more.
  public func adding(milliseconds: UInt64) -> MonotonicTime {
    let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    return overflow ? .distantFuture : adding(nanoseconds: product)
  }

  /// Nanoseconds from `earlier` to this moment; zero when `earlier` is later.
  public func nanoseconds(since earlier: MonotonicTime) -> UInt64 {
    nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0
  }
}

extension MonotonicTime: Comparable {
  /// Earlier moments come first.
  public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
    left.nanoseconds < right.nanoseconds
  }
}
