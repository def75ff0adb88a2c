import Foundations
import MQTT
import Synchronization
import WireProtocol

/// What is seen of a device's connection on the network thread, at once, however long the thread that
/// computes is busy: how late the own heartbeats return, and how many bytes of tensors have come.
final class LinkWatch: Sendable {
  private let echoes = Mutex(EchoBook())
  private let received = Atomic<UInt64>(0)
  private let isSlow = Atomic<Bool>(false)
  private let name: String
  private let epoch: UInt64

  /// - Parameters:
  ///   - name: the device.
  ///   - epoch: of its run.
  init(name: String, epoch: UInt64) {
    self.name = name
    self.epoch = epoch
  }

  /// How many bytes a second the connection takes; nil if many. Only a slow one makes heartbeats late: on a
  /// fast one it is the machine that is, and that must not hide who is gone.
  func takes(bytesPerSecond rate: Double?) {
    isSlow.store(rate.map { $0 < DrainRate.slow } ?? false, ordering: .relaxed)
  }

  /// A message came.
  func came(_ payload: UnsafeRawBufferPointer, on topic: Topic) {
    switch topic {
    case .activation, .input: received.add(UInt64(payload.count), ordering: .relaxed)
    case .heartbeat(name):
      guard payload.count <= Heartbeat.maximumBytes,
        let beat = try? Heartbeat(payload: Array(payload), source: "heartbeat/\(name)"),
        beat.epoch == epoch
      else { return }
      echoes.withLock { $0.returned(beat.sequence, at: .now()) }
    default: break
    }
  }

  /// A heartbeat is sent, and the next follows within some time.
  func sent(_ sequence: UInt64, next: Duration) {
    echoes.withLock { $0.sent(sequence, next: next, at: .now()) }
  }

  /// A heartbeat could not be sent.
  func failed(_ sequence: UInt64) { echoes.withLock { $0.failed(sequence) } }

  /// What was under way is lost.
  func connectionLost() { echoes.withLock { $0.connectionLost() } }

  /// How late messages have been coming lately, or are by now; see `EchoBook`.
  var lag: Duration {
    isSlow.load(ordering: .relaxed) ? echoes.withLock { $0.lag(at: .now()) } : .zero
  }

  /// Whether messages are late now.
  var isBehind: Bool {
    isSlow.load(ordering: .relaxed) && echoes.withLock { $0.isBehind(at: .now()) }
  }

  /// How late a heartbeat may be: as they have been, or as it takes to send what may lie before one.
  ///
  /// - Parameter rate: bytes a second that the connection takes, if that is known.
  func expectedLag(bytesPerSecond rate: Double?) -> Duration {
    guard let rate, rate > 0 else { return lag }
    let seconds = min(Double(LinkWatch.before) / rate, 10)
    return max(lag, .nanoseconds(Int64(seconds * 1e9)) - EchoBook.tolerance)
  }

  /// Bytes that may lie before a heartbeat: in the connection's bulk lane, and in the system.
  private static let before = 96 << 10

  /// Bytes of tensors that have come.
  var receivedBytes: UInt64 { received.load(ordering: .relaxed) }
}
