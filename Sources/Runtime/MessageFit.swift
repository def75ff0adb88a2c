import Foundations
import Logging
import MQTT
import WireProtocol

/// How large the tensor messages of one process may be: by what the broker said when it accepted the
/// client, and by what it took when it was tried. A message that is too large and not acknowledged
/// vanishes without a word, and its sender looks dead. Over a slow connection they are
/// smaller; see `PieceSize`.
struct MessageFit {
  /// One of those that the messages go to.
  let topic: String
  private let properties: MQTTProperties
  /// The most bytes of a message that the broker took; `Int.max` before that was tried.
  private var taken = Int.max

  /// - Parameter topic: one of those that the messages go to.
  init(topic: String, properties: MQTTProperties) {
    self.topic = topic
    self.properties = properties
  }

  /// Tries how much the broker takes, up to the largest message that is ever sent.
  ///
  /// What cannot be found out now is no reason to give up, as with rights.
  /// - Parameters:
  ///   - wanted: the largest message without its note, in bytes.
  ///   - reading: whether this client reads the topic itself.
  /// - Throws: `resourceExhausted` when the broker takes too little for tensors at all.
  mutating func find(
    _ wanted: Int, reading: Bool, through client: MQTTClient, logger: Logger
  ) throws(MartletError) {
    let bytes = wanted + TensorHeader.maximumNoteBytes
    defer { client.supposeRate() }
    do throws(MartletError) {
      taken = try client.largestPayload(
        topic: topic, upTo: bytes, least: TensorEncoder.leastMessageBytes, reading: reading,
        timeout: .seconds(20))
    } catch {
      guard error.code != .resourceExhausted else { throw error }
      logger.warning("how large messages may be was not checked: \(error)")
      return
    }
    guard taken < wanted else { return }
    logger.warning(
      """
      the broker takes no messages as large as --chunk-bytes allows, so tensors travel in smaller \
      pieces; raise message_size_limit or max_packet_size at the broker for more speed
      """, metadata: ["wanted_bytes": "\(wanted)", "bytes": "\(taken)", "topic": "\(topic)"])
  }

  /// What holds for the present connection, in bytes.
  func limit(of client: MQTTClient) -> Int {
    min(taken, client.payloadRoom(topic: topic, properties: properties) ?? .max)
  }
}
