import Glibc
import WireProtocol

/// Events on their way from the network thread to the thread that computes: a list under a lock, with
/// a bound on the bytes that wait in it and a wait that ends at a monotonic time.
///
/// `@unchecked Sendable`: `events`, `bytes`, `isClosed` and `dropped` are only touched between
/// `pthread_mutex_lock` and `pthread_mutex_unlock` of `mutex`; the mutex and the condition live in
/// memory of their own from `init` to `deinit`, and nobody can be inside a method during `deinit`.
final class Mailbox<Event: Sendable>: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let maximumBytes: Int
  private var events: [Event] = []
  private var bytes = 0
  private var dropped = 0

  init(maximumBytes: Int) {
    self.maximumBytes = maximumBytes
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

  /// Adds an event that holds `size` bytes of payload.
  ///
  /// - Returns: false if there was no room and the event was dropped. Events without payload are
  ///   never dropped.
  @discardableResult
  func post(_ event: Event, bytes size: Int = 0) -> Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    guard size == 0 || bytes + size <= maximumBytes else {
      dropped += 1
      return false
    }
    events.append(event)
    bytes += size
    pthread_cond_signal(condition)
    return true
  }

  /// Everything that has arrived, waiting until `deadline` for the first event.
  func take(until deadline: MonotonicTime) -> [Event] {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while events.isEmpty {
      if deadline == .distantFuture {
        pthread_cond_wait(condition, mutex)
        continue
      }
      var time = timespec(
        tv_sec: Int(deadline.nanoseconds / 1_000_000_000),
        tv_nsec: Int(deadline.nanoseconds % 1_000_000_000))
      if pthread_cond_timedwait(condition, mutex, &time) == ETIMEDOUT { break }
    }
    defer {
      events = []
      bytes = 0
    }
    return events
  }

  /// How many events were dropped since the last call.
  func takeDropped() -> Int {
    pthread_mutex_lock(mutex)
    defer {
      dropped = 0
      pthread_mutex_unlock(mutex)
    }
    return dropped
  }
}

extension MonotonicTime {
  /// The machine's monotonic clock, the one that `Mailbox` waits by.
  static func now() -> MonotonicTime {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return MonotonicTime(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
  }
}
