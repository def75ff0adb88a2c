package import Foundations
package import JSONCoding

/// One message of an answer. Topic `reply/<client>/<service>`.
///
/// A unary method sends one, with `index` 0 and `last`. A streaming one numbers its messages from 0;
/// only the last has a status.
package struct RPCReply: Sendable, Equatable {
  /// The caller's name for the call.
  package var id: String
  /// Who answers.
  package var from: String
  /// The number of this message in the answer.
  package var index: UInt64
  /// How the call ended, with the last message.
  package var status: RPCStatus?
  /// The result, or one item of it.
  package var body: JSONValue?

  /// One message of an answer.
  package init(
    id: String, from: String, index: UInt64 = 0, status: RPCStatus?, body: JSONValue? = nil
  ) {
    self.id = id
    self.from = from
    self.index = index
    self.status = status
    self.body = body
  }

  /// Whether no more follow.
  package var isLast: Bool { status != nil }

  /// The most bytes of a payload.
  package static let maximumBytes = 256 << 10

  /// The payload to publish.
  ///
  /// - Throws: `resourceExhausted` above `maximumBytes`, `invalidArgument` for a body that JSON
  ///   cannot hold.
  package func payload() throws(MartletError) -> [UInt8] {
    let payload = try JSON.encode(value)
    guard payload.count <= RPCReply.maximumBytes else {
      throw MartletError(
        .resourceExhausted, "an answer is too long",
        context: ["bytes": "\(payload.count)", "limit": "\(RPCReply.maximumBytes)"])
    }
    return payload
  }

  /// The payload as a value.
  package var value: JSONValue {
    var members: [JSONValue.Member] = [
      .init("id", .string(id)), .init("from", .string(from)),
      .init("index", .integer(Int64(clamping: index))), .init("last", .bool(isLast)),
    ]
    if let status {
      members.append(.init("code", .integer(Int64(status.code.rawValue))))
      members.append(.init("status", .string(status.code.name)))
      if !status.message.isEmpty { members.append(.init("message", .string(status.message))) }
    }
    if let body { members.append(.init("body", body)) }
    return .object(members)
  }

  /// Reads an untrusted payload.
  ///
  /// - Throws: `resourceExhausted` when it is too long, `invalidFile` when it is not JSON, `mismatch`
  ///   for fields that are missing or out of range.
  package init(payload: [UInt8], source: String) throws(MartletError) {
    let value = try JSON.decode(
      JSONValue.self, from: payload, source: source,
      limits: JSON.Limits(bytes: RPCReply.maximumBytes, depth: 64))
    guard case .string(let id)? = value["id"], RPCRequest.isValidID(id),
      case .string(let from)? = value["from"], Identifier.isValid(from),
      case .integer(let index)? = value["index"], index >= 0,
      case .bool(let isLast)? = value["last"]
    else {
      throw MartletError(
        .mismatch, "a reply lacks its id, sender or place", context: ["source": source])
    }
    self.init(id: id, from: from, index: UInt64(index), status: nil, body: value["body"])
    guard isLast else { return }
    guard case .integer(let number)? = value["code"] else {
      throw MartletError(.mismatch, "a last reply lacks its code", context: ["source": source])
    }
    // As gRPC has it: a code that this program does not know is UNKNOWN.
    let code = Int(exactly: number).flatMap(RPCCode.init(rawValue:)) ?? .unknown
    status = RPCStatus(code, value["message"]?.text ?? "")
  }
}
