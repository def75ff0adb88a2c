import MQTT
import Plan
import TensorCore
import WireProtocol

/// Publishes a device's parts.
struct PartSender {
  /// Counts since the start.
  struct Counters: Sendable, Equatable {
    var messages: UInt64 = 0
    var bytes: UInt64 = 0
    var failures: UInt64 = 0
  }

  private(set) var counters = Counters()
  let outlet = PartOutlet()
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

  /// Sends one part. A failure is counted: whoever waits for the part fills it at the deadline.
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
    var failed = false
    var bytes = 0
    outlet.beginPart()
    encoder.encode(header, values) { message in
      bytes += message.count
      message.withUnsafeBytes { payload in
        do {
          try outlet.publish(
            topic: topic, payload: payload, properties: properties, through: client)
        } catch {
          failed = true
        }
      }
    }
    counters.messages += 1
    counters.bytes += UInt64(bytes)
    if failed { counters.failures += 1 }
  }
}
