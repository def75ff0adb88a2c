import Foundations
import JSONCoding
import TensorFiles

/// Why a request was not executed.
package struct RPCRefusal: Error, Sendable, Equatable {
  /// How it is counted.
  package var reason: RejectReason
  /// What the caller is told, if it can be told anything.
  package var status: RPCStatus
  /// The call; nil when the request does not say who asks for what, so that nobody can be told.
  package var key: RPCCallKey?
}

extension RPCRequest {
  /// Reads an untrusted request.
  ///
  /// What says who asks (`client` and `id`) is read first, so that everything else that is wrong can
  /// be told. A reply topic that is given, in the payload or as a property, must be the client's own.
  ///
  /// An image needs no envelope if the properties say who asks: a response topic of the contract, and
  /// the id as correlation data. Its deadline is the message's expiry, or ten seconds.
  ///
  /// - Parameter maximumBytes: of the whole payload.
  package init(
    decoding payload: [UInt8], of method: RPCMethod, root: TopicRoot,
    properties: RPCProperties = RPCProperties(), maximumBytes: Int
  ) throws(RPCRefusal) {
    if let kind = FileKind(of: payload), kind.isImage {
      self = try RPCRequest.bare(payload, of: method, root: root, properties, maximumBytes)
      return
    }
    let (envelope, content, key) = try RPCRequest.open(payload, of: method, maximumBytes)
    func require(_ condition: Bool, _ message: String) throws(RPCRefusal) {
      guard condition else {
        throw RPCRefusal(
          reason: .garbage, status: RPCStatus(.invalidArgument, message), key: key)
      }
    }
    let own = try? root.path(.reply(client: key.client, service: method.service))
    for topic in [envelope["reply"].map(\.text), properties.responseTopic].compactMap({ $0 }) {
      try require(topic == own, "replies go to \(own ?? "") and nowhere else")
    }
    if let correlation = properties.correlation {
      try require(
        correlation.elementsEqual(key.id.utf8), "the correlation data differs from the id")
    }
    self.init(key: key, deadlineMilliseconds: 0)
    if method.method == RPCMethod.cancel { return }

    guard case .integer(let milliseconds)? = envelope["deadline_ms"], milliseconds > 0,
      milliseconds <= RPCRequest.maximumDeadlineMilliseconds
    else {
      throw RPCRefusal(
        reason: .garbage,
        status: RPCStatus(
          .invalidArgument,
          "deadline_ms must be 1 to \(RPCRequest.maximumDeadlineMilliseconds)"), key: key)
    }
    deadlineMilliseconds = UInt64(milliseconds)
    if let expiry = properties.expirySeconds {
      // The broker counts down what it keeps; a longer expiry than the deadline means nothing.
      deadlineMilliseconds = min(deadlineMilliseconds, UInt64(expiry) * 1000)
    }
    if let given = envelope["metadata"] {
      guard let pairs = given.textByName, RPCRequest.isValid(pairs) else {
        throw RPCRefusal(
          reason: .garbage,
          status: RPCStatus(
            .invalidArgument, "metadata must be at most \(RPCRequest.maximumMetadata) short texts"),
          key: key)
      }
      metadata = pairs
    }
    if let content, let type = envelope["content_type"]?.text {
      try require(RPCRequest.isValidType(type), "this content_type is not one")
      try require(envelope["body"] == nil, "a request has a body or a content_type, not both")
      body = .bytes(Array(content), type: type)
    } else {
      let type = envelope["content_type"]
      try require(
        type == nil || type == .string(RPCFraming.json),
        "a binary body stands behind one line of JSON and a line feed")
      body = envelope["body"].map(RPCBody.json) ?? .none
    }
  }

  /// A request that is an image and nothing else.
  private static func bare(
    _ image: [UInt8], of method: RPCMethod, root: TopicRoot, _ properties: RPCProperties,
    _ maximumBytes: Int
  ) throws(RPCRefusal) -> RPCRequest {
    guard image.count <= maximumBytes else {
      throw RPCRefusal(reason: .tooLarge, status: RPCStatus(.resourceExhausted, "too large"))
    }
    var client: String?
    if let topic = properties.responseTopic,
      case .reply(let name, method.service)? = root.parse(topic)
    {
      client = name
    }
    let id = properties.correlation.flatMap { String(validating: $0, as: UTF8.self) }
    guard let client, let id, isValidID(id) else {
      let own = (try? root.path(.reply(client: "me", service: method.service))) ?? ""
      throw RPCRefusal(
        reason: .noEnvelope,
        status: RPCStatus(
          .invalidArgument,
          "an image stands behind one line of JSON with id, client, deadline_ms and content_type, or "
            + "comes with a response topic such as \(own) and correlation data"),
        key: client.map { RPCCallKey(client: $0, method: method, id: "-") })
    }
    return RPCRequest(
      key: RPCCallKey(client: client, method: method, id: id),
      deadlineMilliseconds: min(
        properties.expirySeconds.map { max(UInt64($0) * 1000, 1) } ?? 10_000,
        maximumDeadlineMilliseconds),
      body: .bytes(image, type: ContentType(of: image).rawValue))
  }

  /// The envelope, what stands behind it, and who asks.
  private static func open(
    _ payload: [UInt8], of method: RPCMethod, _ maximumBytes: Int
  ) throws(RPCRefusal) -> (JSONValue, ArraySlice<UInt8>?, RPCCallKey) {
    func unanswerable(_ reason: RejectReason) -> RPCRefusal {
      RPCRefusal(
        reason: reason, status: RPCStatus(.invalidArgument, "nobody knows who asked"), key: nil)
    }
    guard payload.count <= maximumBytes else { throw unanswerable(.tooLarge) }
    let envelope: JSONValue
    let content: ArraySlice<UInt8>?
    do throws(MartletError) {
      (envelope, content) = try RPCFraming.decode(payload, source: "rpc/\(method)")
    } catch {
      throw unanswerable(error.code == .resourceExhausted ? .tooLarge : .garbage)
    }
    guard case .string(let client)? = envelope["client"], Identifier.isValid(client),
      case .string(let id)? = envelope["id"], RPCRequest.isValidID(id)
    else { throw unanswerable(.garbage) }
    return (envelope, content, RPCCallKey(client: client, method: method, id: id))
  }
}

extension JSONValue {
  /// The text of a string; empty for anything else.
  var text: String { if case .string(let text) = self { text } else { "" } }

  /// The members of an object of strings; nil for anything else.
  var textByName: [String: String]? {
    guard case .object(let members) = self else { return nil }
    var result: [String: String] = [:]
    for member in members {
      guard case .string(let value) = member.value else { return nil }
      result[member.name] = value
    }
    return result
  }
}
