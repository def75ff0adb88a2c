import Foundations
import JSONCoding

/// The form of a request: a JSON envelope, and perhaps a binary body behind it.
///
/// A request whose envelope has a `content_type` other than `application/json` is one line of JSON, a
/// line feed, and then the body as it is, so that a photograph is sent with
/// `(echo '{"id":...,"content_type":"image/jpeg"}'; cat photo.jpg) | mosquitto_pub -s ...`. Every other
/// request is JSON alone, on as many lines as it likes.
enum RPCFraming {
  /// The most bytes of an envelope.
  static let maximumEnvelopeBytes = 64 << 10
  private static let limits = JSON.Limits(bytes: maximumEnvelopeBytes, depth: 32)

  /// The type of bodies that are part of the envelope.
  static let json = "application/json"

  /// Splits an untrusted payload.
  ///
  /// - Returns: the envelope, and the bytes behind it if it announces any.
  /// - Throws: `resourceExhausted` for an envelope that is too long, `invalidFile` for one that is
  ///   not JSON.
  static func decode(
    _ payload: [UInt8], source: String
  ) throws(MartletError) -> (envelope: JSONValue, body: ArraySlice<UInt8>?) {
    let head = payload.prefix(maximumEnvelopeBytes + 1)
    if let end = head.firstIndex(of: UInt8(ascii: "\n")), end + 1 < payload.count,
      let line = try? JSON.decode(
        JSONValue.self, from: Array(head[..<end]), source: source, limits: limits),
      case .string(let type)? = line["content_type"], type != json
    {
      return (line, payload[(end + 1)...])
    }
    return (
      try JSON.decode(JSONValue.self, from: payload, source: source, limits: limits), nil
    )
  }

  /// A payload of one line of JSON and perhaps a body.
  static func encode(
    _ envelope: JSONValue, body: [UInt8]?
  ) throws(MartletError) -> [UInt8] {
    var payload = try JSON.encode(envelope)
    guard let body else { return payload }
    payload.reserveCapacity(payload.count + 1 + body.count)
    payload.append(UInt8(ascii: "\n"))
    payload.append(contentsOf: body)
    return payload
  }
}
