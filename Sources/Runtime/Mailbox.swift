import Foundations

/// Events on their way from the network thread to the thread that computes: a list under a lock, with
/// a bound on the bytes that wait in it and a wait that ends at a monotonic time.
///
/// `@unchecked Sendable`: every `var` is only touched with `lock` held.
final class Mailbox<Event: Sendable>: @unchecked Sendable {
  private let lock = NativeLock()
  private let maximumBytes: Int
  private var events: [Event] = []
  private var bytes = 0
  private var dropped = 0

  init(maximumBytes: Int) { self.maximumBytes = maximumBytes }

  /// Adds an event that holds `size` bytes of payload.
  ///
  /// - Returns: false if there was no room and the event was dropped. Events without payload are
  ///   never dropped.
  @discardableResult
  func post(_ event: Event, bytes size: Int = 0) -> Bool {
    lock.withLock {
      guard size == 0 || bytes + size <= maximumBytes else {
        dropped += 1
        return false
      }
      events.append(event)
      bytes += size
      lock.broadcast()
      return true
    }
  }

  /// Everything that has arrived, waiting until `deadline` for the first event.
  func take(until deadline: MonotonicTime) -> [Event] {
    lock.withLock {
      while events.isEmpty, lock.wait(until: deadline) {}
      defer {
        events = []
        bytes = 0
      }
      return events
    }
  }

  /// Bytes of payload that wait.
  var waitingBytes: Int { lock.withLock { bytes } }

  /// How many events were dropped since the last call.
  func takeDropped() -> Int {
    lock.withLock {
      defer { dropped = 0 }
      return dropped
    }
  }
}
