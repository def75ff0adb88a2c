import Foundations
import Logging
import MQTT
import Synchronization

/// Whether a process was asked to stop; set from any thread, such as that of a signal.
final class StopRequest: Sendable {
  private let flag = Atomic<Bool>(false)

  var isMade: Bool { flag.load(ordering: .relaxed) }

  func make() { flag.store(true, ordering: .relaxed) }
}

extension MQTTClient {
  /// Reaches the broker. A service tries for ever: at boot the broker's machine may need longer, and
  /// nobody is there to start the service again. The client logs what it tries.
  ///
  /// - Parameters:
  ///   - patience: how long to try; nil for ever.
  ///   - stop: ends the wait soon.
  /// - Returns: false when asked to stop.
  /// - Throws: what will not mend itself, such as a wrong password, at once; after the patience why the
  ///   broker cannot be reached.
  func connect(patience: Duration?, unless stop: StopRequest) throws(MartletError) -> Bool {
    let end = patience.map { MonotonicTime.now() + $0 } ?? .distantFuture
    try start()
    while !stop.isMade {
      let left = Duration.nanoseconds(Int64(clamping: end.nanoseconds(since: .now())))
      do throws(MartletError) {
        try waitUntilReady(timeout: min(left, .milliseconds(100)))
        return true
      } catch {
        guard [.unreachable, .timedOut].contains(error.code), MonotonicTime.now() < end else {
          throw error
        }
      }
    }
    return false
  }
}
