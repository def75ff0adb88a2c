import Foundations
import JSONCoding
import Tensors
package import WireProtocol

/// Reads messages of any kind. Nothing that a payload holds makes it fail.
///
/// A topic of the contract says what to expect; any other payload is recognised by its bytes.
package struct MessageReader {
  /// Longer JSON documents are shown as text.
  package static let maximumJSONBytes = 256 * 1024
  /// How much of a text or of unknown bytes is kept.
  package static let maximumShownBytes = 4096
  /// Documents nested more deeply are shown as text.
  private static let jsonLimits = JSON.Limits(bytes: maximumJSONBytes, depth: 32)

  /// The topics that are in terms of the contract.
  package let root: TopicRoot
  private var elements: [Float] = []

  /// Reads the messages of one deployment, and others as well as they can be.
  package init(root: TopicRoot) { self.root = root }

  /// Reads a message.
  ///
  /// - Parameters:
  ///   - topicText: the full topic.
  ///   - tensor: called with the tensor, if it is one; not to be kept.
  package mutating func read(
    _ payload: [UInt8], on topicText: String, tensor: (TensorMessage) -> Void = { _ in }
  ) -> MessageReading {
    let topic = root.parse(topicText)
    guard !payload.isEmpty else {
      return MessageReading(topic: topic, content: .empty, flaw: nil)
    }
    if PermissionCheck.isOne(payload) {
      return MessageReading(topic: topic, content: MessageReader.opaque(payload), flaw: nil)
    }
    let carriesTensor = topic.map(MessageReader.carriesTensor) ?? false
    if carriesTensor || MessageReader.resemblesTensor(payload) {
      do throws(MartletError) {
        let reading = try readTensor(payload, tensor)
        let flaw = MessageReader.disagreement(topic, reading.header)
        return MessageReading(topic: topic, content: .tensor(reading), flaw: flaw)
      } catch {
        if carriesTensor {
          return MessageReading(
            topic: topic, content: MessageReader.opaque(payload), flaw: "\(error)")
        }
      }
    }
    let flaw = topic.flatMap { ContractCheck.flaw(of: payload, on: $0, root: root) }
    if case .call = topic, flaw == nil,
      let end = payload.firstIndex(of: UInt8(ascii: "\n")),
      case .json(let envelope) = MessageReader.document(Array(payload[..<end]))
    {
      return MessageReading(
        topic: topic, content: .json(envelope),
        attachedBytes: payload.count - end - 1, flaw: nil)
    }
    return MessageReading(
      topic: topic, content: MessageReader.document(payload), flaw: flaw)
  }

  private mutating func readTensor(
    _ payload: [UInt8], _ tensor: (TensorMessage) -> Void
  ) throws(MartletError) -> MessageReading.TensorReading {
    try payload.withUnsafeBufferPointer { buffer throws(MartletError) in
      let message = try TensorMessage(decoding: UnsafeRawBufferPointer(buffer))
      if elements.count < message.count {
        elements = [Float](repeating: 0, count: message.count)
      }
      let statistics = elements.withUnsafeMutableBufferPointer { all -> TensorStatistics? in
        let target = UnsafeMutableBufferPointer(rebasing: all[..<message.count])
        guard message.decodeElements(into: target) else { return nil }
        return TensorStatistics(UnsafeBufferPointer(target))
      }
      guard let statistics else {
        throw MartletError(.invalidFile, "the pixels of a tensor message cannot be unpacked")
      }
      tensor(message)
      return MessageReading.TensorReading(
        header: message.header, elementType: message.elementType, scale: message.scale,
        chunk: message.chunk, chunks: message.chunks, statistics: statistics)
    }
  }

  private static func carriesTensor(_ topic: Topic) -> Bool {
    switch topic {
    case .input, .activation: true
    default: false
    }
  }

  /// A header length that fits, and the beginning of a header.
  private static func resemblesTensor(_ payload: [UInt8]) -> Bool {
    guard payload.count > 16, payload[8] == UInt8(ascii: "{") else { return false }
    let length = (0..<8).reduce(UInt64(0)) { $0 | UInt64(payload[$1]) << (8 * UInt64($1)) }
    return length <= UInt64(payload.count - 8)
  }

  /// Whether the header names another sender than the topic.
  private static func disagreement(_ topic: Topic?, _ header: TensorHeader) -> String? {
    switch topic {
    case .activation(let layer, let device):
      header.layer == layer && header.device == device
        ? nil : "the payload names layer \(header.layer), device \(header.device)"
    case .input(let client, _):
      header.client == client ? nil : "the payload names client \(header.client)"
    default: nil
    }
  }

  private static func document(_ payload: [UInt8]) -> MessageReading.Content {
    if payload.count <= maximumJSONBytes,
      let value = try? JSON.decode(
        JSONValue.self, from: payload, source: "payload", limits: jsonLimits), isFinite(value)
    {
      return .json(value)
    }
    return opaque(payload)
  }

  /// Whether it can be written as JSON again: `1e999` is JSON, too, and reads as infinity.
  private static func isFinite(_ value: JSONValue) -> Bool {
    switch value {
    case .number(let number): number.isFinite
    case .array(let values): values.allSatisfy(isFinite)
    case .object(let members): members.allSatisfy { isFinite($0.value) }
    case .null, .bool, .integer, .string: true
    }
  }

  private static func opaque(_ payload: [UInt8]) -> MessageReading.Content {
    let start = Array(payload.prefix(maximumShownBytes))
    // A cut may fall into a character, whose first bytes then are left out.
    for missing in 0..<min(4, start.count) {
      guard payload.count > start.count || missing == 0 else { break }
      if let text = String(validating: start.dropLast(missing), as: UTF8.self),
        text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
      {
        return .text(text)
      }
    }
    return .bytes(start)
  }
}
