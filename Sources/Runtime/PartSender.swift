import Foundations
import Logging
import MQTT
import Plan
import Tensors
import WireProtocol

/// Publishes a device's parts.
struct PartSender {
  let outlet = PartOutlet()
  /// By exchange, since the meter last asked.
  private var sentBytes: [Int: UInt64] = [:]
  /// The element type of each exchange's parts. What it cannot hold travels as float32: numbers beyond
  /// float16, which would become infinities, and infinities and NaN, which scaled bytes would hide from
  /// those who must know.
  private let types: [ElementType]
  private var encoders: [ElementType: TensorEncoder] = [:]
  /// By exchange; the shape is the part's, and changes when others stand in.
  private var headers: [Int: TensorHeader] = [:]
  private var topics: [Int: String] = [:]
  private let properties: MQTTProperties
  private var sequence: UInt64 = 0
  /// For how long a broker may hold a part back at least.
  private static let leastExpiry = Duration.seconds(59)
  /// Of the topic to which the largest messages go; nil for a device that sends nothing.
  private var fit: MessageFit?
  /// The largest message without its note, in bytes.
  private var largest = 0
  private var failures = DropCounter<MartletError.Code>()
  private var failureLines: [(line: DropCounter<MartletError.Code>.Line, error: MartletError)] = []

  init(
    plan: Plan, device: Int, planID: String, name: String, epoch: UInt64, root: TopicRoot,
    wire: WireSettings, deadline: Duration
  ) throws(MartletError) {
    types = plan.wireTypes(wire.elementType)
    for type in Set(types + [.float32]) {
      encoders[type] = try TensorEncoder(elementType: type, chunkBytes: wire.chunkBytes)
    }
    // Expiry counts in whole seconds. Over slow links a part is waited for longer than for the deadline.
    properties = MQTTProperties(
      expirySeconds: UInt32(
        clamping: max(deadline, PartSender.leastExpiry).nanoseconds / 1_000_000_000 + 1))
    for (number, exchange) in plan.exchanges.enumerated() where exchange.senders.contains(device) {
      topics[number] = try root.path(.activation(layer: exchange.id, device: name))
      headers[number] = try TensorHeader(
        stage: exchange.stage ?? 0, epoch: epoch, plan: planID, layer: exchange.id, device: name,
        shape: exchange.shape)
    }
    for (number, header) in headers {
      // Whatever it is meant to be, it may have to be float32.
      guard let bytes = encoders[.float32]?.largestMessage(header), bytes > largest else {
        continue
      }
      largest = bytes
      fit = topics[number].map { MessageFit(topic: $0, properties: properties) }
    }
  }

  /// Finds out at the start how large the broker lets messages be.
  ///
  /// - Parameter reading: whether this device reads its own parts.
  /// - Throws: `resourceExhausted` when tensors do not fit at all.
  mutating func findLimit(
    through client: MQTTClient, reading: Bool, logger: Logger
  ) throws(MartletError) {
    try fit?.find(largest, reading: reading, through: client, logger: logger)
    renewLimit(of: client)
  }

  /// Keeps to what the broker said on a new connection.
  mutating func renewLimit(of client: MQTTClient) {
    let limit = fit?.limit(of: client) ?? .max
    for type in encoders.keys { encoders[type]?.maximumMessageBytes = limit }
  }

  /// What to log about parts that could not be sent: at most one line a second for each kind of error.
  mutating func takeFailures() -> [(line: DropCounter<MartletError.Code>.Line, error: MartletError)]
  {
    defer { failureLines = [] }
    return failureLines
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
    for type in encoders.keys { encoders[type]?.fitPieces(to: client) }
    sequence += 1
    header.frame = key.frame
    header.client = key.client
    header.sequence = sequence
    header.shape = shape
    header.note = fills.isEmpty ? "" : fills.text
    var bytes = 0
    outlet.beginPart()
    let (outlet, properties) = (outlet, properties)
    func publish(_ message: [UInt8]) {
      message.withUnsafeBytes { payload in
        do throws(MartletError) {
          try outlet.publish(
            topic: topic, payload: payload, properties: properties, through: client)
          bytes += payload.count
        } catch {
          if let line = failures.record(error.code, at: .now()) {
            failureLines.append((line, error))
          }
        }
      }
    }
    let type = PackedElements.survive(values, as: types[exchange]) ? types[exchange] : .float32
    encoders[type]?.encode(header, values, publish: publish)
    sentBytes[exchange, default: 0] += UInt64(bytes)
  }
}
