/// The MQTT 5 properties of a request or a reply. They repeat the payload, which says everything
/// that matters: bridges and MQTT 3.1.1 clients lose all of them.
package struct RPCProperties: Sendable, Equatable {
  /// One free name and value.
  package struct Pair: Sendable, Equatable {
    /// The name.
    package var name: String
    /// The value.
    package var value: String

    /// A pair.
    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// Seconds that are left of the deadline, rounded up.
  package var expirySeconds: UInt32?
  /// `application/json`, or what a binary body is.
  package var contentType: String?
  /// Where the reply goes.
  package var responseTopic: String?
  /// The call's id as bytes.
  package var correlation: [UInt8]?
  /// `deadline_ms` of a request; `grpc-status` of a last reply.
  package var pairs: [Pair]

  /// No properties, or those given.
  package init(
    expirySeconds: UInt32? = nil, contentType: String? = nil, responseTopic: String? = nil,
    correlation: [UInt8]? = nil, pairs: [Pair] = []
  ) {
    self.expirySeconds = expirySeconds
    self.contentType = contentType
    self.responseTopic = responseTopic
    self.correlation = correlation
    self.pairs = pairs
  }
}

/// A request or a reply, ready to be published with QoS 1 and not retained.
package struct RPCMessage: Sendable, Equatable {
  /// The full topic.
  package var topic: String
  /// The payload.
  package var payload: [UInt8]
  /// What MQTT 5 says besides.
  package var properties: RPCProperties

  /// A message.
  package init(topic: String, payload: [UInt8], properties: RPCProperties = RPCProperties()) {
    self.topic = topic
    self.payload = payload
    self.properties = properties
  }
}

/// Whole seconds until a deadline, rounded up and at least one: MQTT counts expiry in seconds.
func expirySeconds(nanoseconds: UInt64) -> UInt32 {
  UInt32(clamping: max(1, nanoseconds / 1_000_000_000 + (nanoseconds % 1_000_000_000 > 0 ? 1 : 0)))
}
