import MQTT
import Plan
import TensorCore
import WireProtocol

/// Publishes a device's parts.
struct PartSender {
  let outlet = PartOutlet()
  /// By exchange, since the meter last asked.
  private var sentBytes: [Int: UInt64] = [:]
  private var encoder: TensorEncoder
  /// By exchange; the shape is the part's, and changes when others stand in.
  private var headers: [Int: TensorHeader] = [:]
  private var topics: [Int: String] = [:]
  private let properties: MQTTProperties
  private var sequence: UInt64 = 0

  init(
    plan: Plan, device: Int, planID: String, name: String, epoch: UInt64, root: TopicRoot,
    wire: WireSettings, deadline: Duration
  ) throws(MartletError) {
    encoder = try TensorEncoder(elementType: wire.elementType, chunkBytes: wire.chunkBytes)
    // Expiry counts in whole seconds.
    properties = MQTTProperties(
      expirySeconds: UInt32(clamping: deadline.nanoseconds / 1_000_000_000 + 1))
    for (number, exchange) in plan.exchanges.enumerated() where exchange.senders.contains(device) {
      topics[number] = try root.path(.activation(layer: exchange.id, device: name))
      headers[number] = try TensorHeader(
        stage: exchange.stage ?? 0, epoch: epoch, plan: planID, layer: exchange.id, device: name,
        shape: exchange.shape)
    }
  }

  /// Bytes published since the last call, by exchange.
  mutating func takeSentBytes() -> [Int: UInt64] {
    defer { sentBytes = [:] }
    return sentBytes
  }

  /// Sends one part. After a failure whoever waits for the part fills it at the deadline.
  mutating func send(
    _ exchange: Int, shape: Shape, _ values: UnsafeBufferPointer<Float>,
    of key: FrameKey, fills: FillReport, through client: MQTTClient
  ) {
    guard var header = headers[exchange], let topic = topics[exchange] else { return }
    sequence += 1
    header.frame = key.frame
    header.client = key.client
    header.sequence = sequence
    header.shape = shape
    header.note = fills.isEmpty ? "" : fills.text
    var bytes = 0
    outlet.beginPart()
    encoder.encode(header, values) { message in
      message.withUnsafeBytes { payload in
        do {
          try outlet.publish(
            topic: topic, payload: payload, properties: properties, through: client)
          bytes += payload.count
        } catch {
          // The client's statistics count it.
        }
      }
    }
    sentBytes[exchange, default: 0] += UInt64(bytes)
  }
}
