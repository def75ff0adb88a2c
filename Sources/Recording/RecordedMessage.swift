import Glibc

/// One message as it came from the broker.
package struct RecordedMessage: Sendable, Equatable {
  /// When it was received: nanoseconds since 1970 by the recorder's wall clock.
  package var time: UInt64
  /// The topic it was published to.
  package var topic: String
  /// The bytes of the message.
  package var payload: [UInt8]
  /// Whether the broker kept it from before the recording.
  package var isRetained: Bool
  /// Whether it came with QoS 1.
  package var isAcknowledged: Bool
  /// What was left of its life, in seconds, when a kept message came; not part of a recording.
  package var expirySeconds: UInt32?

  /// Makes a message.
  package init(
    time: UInt64, topic: String, payload: [UInt8], isRetained: Bool = false,
    isAcknowledged: Bool = false
  ) {
    self.time = time
    self.topic = topic
    self.payload = payload
    self.isRetained = isRetained
    self.isAcknowledged = isAcknowledged
  }
}

extension RecordedMessage {
  /// The wall clock, as `time` counts: nanoseconds since 1970.
  package static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return UInt64(max(0, time.tv_sec)) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Bytes in front of topic and payload: time (8), payload length (4), topic length (2), flags (1),
  /// and one that is zero. All numbers are little-endian.
  static let headerBytes = 16
  /// MQTT's own limit.
  static let maximumTopicBytes = 65535
  /// The largest payload that a recording holds.
  package static let maximumPayloadBytes = 16 << 20

  /// The bytes that the message takes in a block.
  package var encodedBytes: Int { RecordedMessage.headerBytes + topic.utf8.count + payload.count }

  /// Appends the message to a block.
  func encode(into block: inout [UInt8]) {
    block.appendLittleEndian(time)
    block.appendLittleEndian(UInt32(payload.count))
    block.appendLittleEndian(UInt16(topic.utf8.count))
    block.append((isRetained ? 1 : 0) | (isAcknowledged ? 2 : 0))
    block.append(0)
    block.append(contentsOf: topic.utf8)
    block.append(contentsOf: payload)
  }

  /// Reads the message that begins at `offset` and moves the offset behind it; nil if there is none
  /// that ends within the block and has a topic of UTF-8.
  init?(block: [UInt8], at offset: inout Int) {
    guard block.count - offset >= RecordedMessage.headerBytes else { return nil }
    let payloadBytes = Int(block.littleEndian(UInt32.self, at: offset + 8))
    let topicBytes = Int(block.littleEndian(UInt16.self, at: offset + 12))
    let flags = block[offset + 14]
    let start = offset + RecordedMessage.headerBytes
    guard payloadBytes <= RecordedMessage.maximumPayloadBytes, flags & ~3 == 0,
      block[offset + 15] == 0, topicBytes + payloadBytes <= block.count - start,
      let topic = String(validating: block[start..<start + topicBytes], as: UTF8.self)
    else { return nil }
    let end = start + topicBytes + payloadBytes
    self.init(
      time: block.littleEndian(UInt64.self, at: offset), topic: topic,
      payload: Array(block[start + topicBytes..<end]), isRetained: flags & 1 != 0,
      isAcknowledged: flags & 2 != 0)
    offset = end
  }
}

extension [UInt8] {
  package mutating func appendLittleEndian<Number: FixedWidthInteger>(_ number: Number) {
    Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
  }

  /// - Precondition: the number lies within the array.
  func littleEndian<Number: FixedWidthInteger & BitwiseCopyable>(
    _ type: Number.Type, at offset: Int
  ) -> Number {
    withUnsafeBytes { Number(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: type)) }
  }
}
