import Dispatch
import Foundations
import Logging
import MQTT
import Synchronization
import Tensors
import WireProtocol

/// Somebody who repeats the parts that go by with the highest epoch there is: right but for that, as if
/// a bit had flipped on the way. Whoever learned epochs from parts would refuse their devices for ever.
final class EpochForger: Sendable {
  /// One part in so many is repeated.
  private static let share = 16

  private struct State {
    var seen = 0
    var sent = 0
  }

  /// What the thread that reads the connection hands over.
  private final class Relay: Sendable {
    let state = Mutex(State())
    let queue = DispatchQueue(label: "martlet.forger")
    let client = Mutex<MQTTClient?>(nil)

    func receive(_ message: MQTTMessage) {
      let isChosen = state.withLock { state in
        state.seen += 1
        return state.seen % EpochForger.share == 0
      }
      guard isChosen else { return }
      let (topic, payload) = (message.topic, Array(message.payload))
      queue.async { [self] in
        guard let forged = EpochForger.forged(payload) else { return }
        let client = client.withLock { $0 }
        // Without a broker there is nobody to mislead.
        guard (try? client?.publish(MQTTMessage(topic: topic, payload: forged))) != nil else {
          return
        }
        state.withLock { $0.sent += 1 }
      }
    }
  }

  private let relay = Relay()
  private let client: MQTTClient

  /// Begins.
  ///
  /// - Throws: what making a client throws.
  init(
    _ configuration: MQTTConfiguration, deployment: String, logger: Logger
  ) throws(MartletError) {
    let relay = relay
    client = try MQTTClient(configuration, logger: logger, onMessage: { relay.receive($0.copy()) })
    let client = client
    relay.client.withLock { $0 = client }
    try client.subscribe("martlet/\(TopicRoot.version)/\(deployment)/act/#")
    try client.start()
  }

  /// Stops; returns how many parts were repeated.
  func close() -> Int {
    client.close()
    relay.queue.sync {}
    relay.client.withLock { $0 = nil }
    return relay.state.withLock { $0.sent }
  }

  /// The same part with the highest epoch; nil for a chunk, and for one that has it already.
  static func forged(_ payload: [UInt8]) -> [UInt8]? {
    payload.withUnsafeBytes { bytes in
      guard let part = try? TensorMessage(decoding: bytes), part.chunks == 1,
        part.header.epoch < Epoch.maximum,
        var encoder = try? TensorEncoder(elementType: .float32, chunkBytes: 1 << 26)
      else { return nil }
      let header = part.header
      guard
        var forged = try? TensorHeader(
          frame: header.frame, stage: header.stage, epoch: Epoch.maximum, sequence: header.sequence,
          plan: header.plan, client: header.client, layer: header.layer, device: header.device,
          shape: header.shape)
      else { return nil }
      forged.note = header.note
      var values = [Float](repeating: 0, count: part.count)
      values.withUnsafeMutableBufferPointer { part.copyElements(into: $0) }
      var message: [UInt8]?
      values.withUnsafeBufferPointer { encoder.encode(forged, $0) { message = $0 } }
      return message
    }
  }
}
