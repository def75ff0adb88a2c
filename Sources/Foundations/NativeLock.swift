import Glibc

/// A mutex with a condition on the monotonic clock. Unlike `Mutex` it can be released in the middle
/// of a call and taken again (the MQTT client gives it up while a message handler runs), and waited
/// on until a point in time.
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
  package func wait(until deadline: MonotonicTime) -> Bool {
    if deadline == .distantFuture { return pthread_cond_wait(condition, mutex) == 0 }
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
