import Glibc

/// A moment on the receiver's own monotonic clock. The origin has no meaning; only differences do.
///
/// Nothing in this module reads a clock: the caller passes the time with each event. Arithmetic
/// saturates, so no time read from a peer or a setting can trap.
package struct MonotonicTime: Hashable, Sendable {
  /// Nanoseconds since the clock's origin.
  package var nanoseconds: UInt64

  /// A moment from a reading of `CLOCK_MONOTONIC` or a test's own count.
  package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// The earliest moment.
  package static let zero = MonotonicTime(nanoseconds: 0)
  /// Never: a deadline that does not pass.
  package static let distantFuture = MonotonicTime(nanoseconds: .max)

  /// This moment and `nanoseconds` more.
  package func adding(nanoseconds: UInt64) -> MonotonicTime {
    let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
    return overflow ? .distantFuture : MonotonicTime(nanoseconds: sum)
  }

  /// This moment and `milliseconds` more.
  package func adding(milliseconds: UInt64) -> MonotonicTime {
    let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    return overflow ? .distantFuture : adding(nanoseconds: product)
  }

  /// Nanoseconds from `earlier` to this moment; zero when `earlier` is later.
  package func nanoseconds(since earlier: MonotonicTime) -> UInt64 {
    nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0
  }

  /// The time from `earlier` to this moment; zero when `earlier` is later.
  package func duration(since earlier: MonotonicTime) -> Duration {
    .nanoseconds(Int64(clamping: nanoseconds(since: earlier)))
  }
}

extension MonotonicTime: Comparable {
  /// Earlier moments come first.
  package static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
    left.nanoseconds < right.nanoseconds
  }
}

extension MonotonicTime {
  /// The machine's monotonic clock, the one that `NativeLock` waits by. Protocol code never calls
  /// this: it is given the time.
  package static func now() -> MonotonicTime {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return MonotonicTime(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
  }

  /// Saturates, so that "for ever" may be given as any large duration.
  package static func + (time: MonotonicTime, duration: Duration) -> MonotonicTime {
    time.adding(nanoseconds: duration.nanoseconds)
  }

  /// Milliseconds from now, rounded up; 0 when it has passed. For `poll`.
  package var millisecondsLeft: Int32 {
    let now = Self.now()
    if self <= now { return 0 }
    return Int32(min((nanoseconds - now.nanoseconds + 999_999) / 1_000_000, UInt64(Int32.max)))
  }
}

extension Duration {
  /// Whole nanoseconds, rounded down; 0 for negative durations, capped at about 292 years.
  package var nanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    return UInt64(min(seconds, 9_000_000_000)) * 1_000_000_000
      + UInt64(attoseconds / 1_000_000_000)
  }

  /// In milliseconds.
  package var inMilliseconds: Double {
    Double(components.seconds) * 1e3 + Double(components.attoseconds) / 1e15
  }
}
