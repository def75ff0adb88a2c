import Glibc

/// A mutex with a condition on the monotonic clock, which unlike `Mutex` can be released in the
/// middle of a call and taken again: the client gives it up while a message handler runs.
///
/// `@unchecked Sendable`: the two pointers never change after `init`, and what they point to is only
/// used through pthread functions, which are made for concurrent use. They are freed in `deinit`,
/// when nobody holds a reference any more.
package final class NativeLock: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  package init() {
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  package func lock() { pthread_mutex_lock(mutex) }
  package func unlock() { pthread_mutex_unlock(mutex) }
  package func broadcast() { pthread_cond_broadcast(condition) }

  /// Waits for a `broadcast`; the lock must be held. Returns false when the deadline has passed.
  package func wait(until deadline: MonotonicInstant) -> Bool {
    var time = timespec(
      tv_sec: Int(deadline.nanoseconds / 1_000_000_000),
      tv_nsec: Int(deadline.nanoseconds % 1_000_000_000))
    return pthread_cond_timedwait(condition, mutex, &time) != ETIMEDOUT
  }

  /// Runs `body` with the lock held.
  package func withLock<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    lock()
    defer { unlock() }
    return try body()
  }
}

/// A point on CLOCK_MONOTONIC.
package struct MonotonicInstant: Comparable {
  package var nanoseconds: UInt64

  package static func now() -> MonotonicInstant {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return MonotonicInstant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
  }

  package static func < (lhs: MonotonicInstant, rhs: MonotonicInstant) -> Bool {
    lhs.nanoseconds < rhs.nanoseconds
  }

  /// Saturates at about 31 years, so that "for ever" may be given as any large duration.
  package static func + (lhs: MonotonicInstant, rhs: Duration) -> MonotonicInstant {
    let (seconds, attoseconds) = rhs.components
    let capped = max(0, min(seconds, 1_000_000_000))
    let sub = seconds < 0 ? 0 : UInt64(max(0, attoseconds)) / 1_000_000_000
    return MonotonicInstant(nanoseconds: lhs.nanoseconds + UInt64(capped) * 1_000_000_000 + sub)
  }

  /// Milliseconds from now, rounded up; 0 when it has passed. For `poll`.
  package var millisecondsLeft: Int32 {
    let now = Self.now()
    if self <= now { return 0 }
    return Int32(min((nanoseconds - now.nanoseconds + 999_999) / 1_000_000, UInt64(Int32.max)))
  }
}
