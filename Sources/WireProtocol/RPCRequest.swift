package import Foundations
package import JSONCoding

/// Names a method: `device/stats`.
package struct RPCMethod: Hashable, Sendable, CustomStringConvertible {
  /// The service.
  package var service: String
  /// The method.
  package var method: String

  /// A method of a service.
  package init(_ service: String, _ method: String) {
    self.service = service
    self.method = method
  }

  /// Reads `service/method`; nil unless both are identifiers.
  package init?(parsing text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, parts.allSatisfy({ Identifier.isValid($0) }) else { return nil }
    self.init(parts[0], parts[1])
  }

  /// `service/method`
  package var description: String { "\(service)/\(method)" }

  /// The method that every service has: it ends the call whose id it repeats.
  package static let cancel = "cancel"
}

/// Names a call. A second request with the same names is the same call, and is executed once.
package struct RPCCallKey: Hashable, Sendable {
  /// Who called: the `<client>` of the reply topic.
  package var client: String
  /// What was called.
  package var method: RPCMethod
  /// The caller's name for this call.
  package var id: String

  /// A call.
  package init(client: String, method: RPCMethod, id: String) {
    self.client = client
    self.method = method
    self.id = id
  }
}

/// What a request asks with.
package enum RPCBody: Sendable, Equatable {
  /// Nothing.
  case none
  /// Any JSON.
  case json(JSONValue)
  /// Bytes as they are, such as an image; with their MIME type.
  case bytes([UInt8], type: String)

  /// The JSON of the body; null when there is none.
  ///
  /// - Throws: `invalidArgument` for bytes.
  package func value() throws(MartletError) -> JSONValue {
    switch self {
    case .none: return .null
    case .json(let value): return value
    case .bytes(_, let type):
      throw MartletError(
        .invalidArgument, "this method takes JSON, not a binary body",
        context: ["content_type": type])
    }
  }
}

/// A request. Topic `rpc/<service>/<method>/<target>`.
///
/// The envelope: `id` (text, 1 to 128 bytes), `client` (whose `reply/<client>/<service>` gets the
/// answer), `deadline_ms` (relative, 1 to 600,000), and perhaps `metadata` (text by name), `body` (any
/// JSON), `content_type` (with a binary body, see `RPCFraming`) and `reply` (the full reply topic).
package struct RPCRequest: Sendable, Equatable {
  /// The call.
  package var key: RPCCallKey
  /// Milliseconds that the caller waits.
  package var deadlineMilliseconds: UInt64
  /// What else the caller says, by name.
  package var metadata: [String: String]
  /// What it asks with.
  package var body: RPCBody

  /// The most bytes of an id.
  package static let maximumIDBytes = 128
  /// The longest deadline.
  package static let maximumDeadlineMilliseconds: UInt64 = 600_000
  /// The most pairs of metadata.
  package static let maximumMetadata = 32
  /// The longest name of metadata in bytes, and the longest value.
  package static let maximumMetadataBytes = (name: 64, value: 1024)
  /// The longest content type in bytes.
  package static let maximumTypeBytes = 128

  /// A request.
  package init(
    key: RPCCallKey, deadlineMilliseconds: UInt64, metadata: [String: String] = [:],
    body: RPCBody = .none
  ) {
    self.key = key
    self.deadlineMilliseconds = deadlineMilliseconds
    self.metadata = metadata
    self.body = body
  }

  /// The request to publish.
  ///
  /// - Throws: `invalidArgument` for what the other side would refuse.
  package func message(to target: String, root: TopicRoot) throws(MartletError) -> RPCMessage {
    let reply = try root.path(.reply(client: key.client, service: key.method.service))
    try check()
    var members: [JSONValue.Member] = [
      .init("id", .string(key.id)), .init("client", .string(key.client)),
      .init("deadline_ms", .integer(Int64(deadlineMilliseconds))),
    ]
    if !metadata.isEmpty {
      members.append(
        .init(
          "metadata",
          .object(metadata.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) })))
    }
    var bytes: [UInt8]?
    var type = RPCFraming.json
    switch body {
    case .none: break
    case .json(let value): members.append(.init("body", value))
    case .bytes(let content, let contentType):
      members.append(.init("content_type", .string(contentType)))
      (bytes, type) = (content, contentType)
    }
    return RPCMessage(
      topic: try root.path(
        .call(service: key.method.service, method: key.method.method, target: target)),
      payload: try RPCFraming.encode(.object(members), body: bytes),
      properties: RPCProperties(
        expirySeconds: expirySeconds(nanoseconds: deadlineMilliseconds * 1_000_000),
        contentType: type, responseTopic: reply, correlation: Array(key.id.utf8),
        pairs: [.init("deadline_ms", "\(deadlineMilliseconds)")]))
  }

  /// The message that ends a call.
  static func cancellation(
    of key: RPCCallKey, to target: String, root: TopicRoot
  ) throws(MartletError) -> RPCMessage {
    RPCMessage(
      topic: try root.path(
        .call(service: key.method.service, method: RPCMethod.cancel, target: target)),
      payload: try RPCFraming.encode(
        .object([.init("id", .string(key.id)), .init("client", .string(key.client))]), body: nil),
      properties: RPCProperties(
        expirySeconds: 60, contentType: RPCFraming.json, correlation: Array(key.id.utf8)))
  }

  private func check() throws(MartletError) {
    func require(_ condition: Bool, _ field: String) throws(MartletError) {
      guard condition else {
        throw MartletError(
          .invalidArgument, "a request cannot be sent like this", context: ["field": field])
      }
    }
    try require(RPCRequest.isValidID(key.id), "id")
    try require(
      (1...RPCRequest.maximumDeadlineMilliseconds).contains(deadlineMilliseconds), "deadline_ms")
    try require(RPCRequest.isValid(metadata), "metadata")
    if case .bytes(let content, let type) = body {
      try require(!content.isEmpty && RPCRequest.isValidType(type), "content_type")
    }
  }

  static func isValidID(_ text: String) -> Bool {
    (1...maximumIDBytes).contains(text.utf8.count)
      && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
  }

  static func isValid(_ metadata: [String: String]) -> Bool {
    metadata.count <= maximumMetadata
      && metadata.allSatisfy {
        (1...maximumMetadataBytes.name).contains($0.key.utf8.count)
          && $0.value.utf8.count <= maximumMetadataBytes.value
      }
  }

  static func isValidType(_ text: String) -> Bool {
    text != RPCFraming.json && (1...maximumTypeBytes).contains(text.utf8.count)
      && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
  }
}
