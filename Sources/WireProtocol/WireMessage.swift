package import Foundations
import JSONCoding

/// A JSON message of the contract. Unknown fields are ignored, so that newer peers can add some.
package protocol WireMessage: Codable, Sendable {
  /// The most bytes that a payload of this kind may have.
  static var maximumBytes: Int { get }

  /// Checks what the types do not say: ranges and lengths.
  ///
  /// - Throws: `MartletError.Code.mismatch`.
  func check() throws(MartletError)
}

extension WireMessage {
  /// Reads an untrusted payload.
  ///
  /// - Parameters:
  ///   - payload: the bytes of the message.
  ///   - source: where it came from, such as the topic, for the error.
  /// - Throws: `MartletError` when it is too long, not JSON, or with fields missing or out of range.
  package init(payload: [UInt8], source: String) throws(MartletError) {
    guard payload.count <= Self.maximumBytes else {
      throw MartletError(
        .resourceExhausted, "a message is too long",
        context: [
          "source": source, "bytes": "\(payload.count)", "limit": "\(Self.maximumBytes)",
        ])
    }
    let message = try JSON.decode(Self.self, from: payload, source: source)
    do { try message.check() } catch { throw error.adding("source", source) }
    self = message
  }

  /// The payload to publish: compact JSON.
  ///
  /// - Throws: `MartletError.Code.mismatch` when a field is out of range.
  package func payload() throws(MartletError) -> [UInt8] {
    try check()
    return try JSON.encode(self, pretty: false)
  }
}

/// Checks shared by the messages.
enum Field {
  static func require(
    _ condition: Bool, _ field: String, _ value: @autoclosure () -> String
  ) throws(MartletError) {
    guard condition else {
      throw MartletError(
        .mismatch, "a field of a message is out of range",
        context: ["field": field, "value": String(value().prefix(64))])
    }
  }

  static func identifier(_ text: String, _ field: String) throws(MartletError) {
    try require(Identifier.isValid(text), field, text)
  }

  static func text(_ text: String, _ field: String, atMost limit: Int = 256) throws(MartletError) {
    try require(text.utf8.count <= limit, field, text)
  }

  static func count(_ count: Int, _ field: String, atMost limit: Int) throws(MartletError) {
    try require((0...limit).contains(count), field, "\(count)")
  }

  static func number(_ value: UInt64, _ field: String) throws(MartletError) {
    try require(value <= Epoch.maximum, field, "\(value)")
  }
}
