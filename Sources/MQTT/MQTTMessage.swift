/// How hard the broker and the client try to deliver a message.
package enum MQTTQuality: UInt8, Sendable, Comparable {
  /// Sent once; lost with the connection.
  case atMostOnce = 0
  /// Repeated until acknowledged; may arrive twice.
  case atLeastOnce = 1

  /// Weaker promises are smaller.
  package static func < (lhs: MQTTQuality, rhs: MQTTQuality) -> Bool {
    lhs.rawValue < rhs.rawValue
  }
}

/// Which messages of QoS 0 wait for which to be written.
package enum MQTTLane: Sendable {
  /// Given to the connection at once: signs of life, answers, questions.
  case prompt
  /// Given to it little by little: tensors.
  case bulk
}

/// The MQTT 5 properties of a published message.
///
/// Bridges and MQTT 3.1.1 subscribers lose all of them: a payload must describe itself.
package struct MQTTProperties: Sendable, Equatable {
  /// The broker drops the message this many seconds after it was published.
  package var expirySeconds: UInt32?
  /// The MIME type of the payload.
  package var contentType: String?
  /// The topic a reply should go to.
  package var responseTopic: String?
  /// Bytes that a reply repeats, so that the requester can tell its requests apart.
  package var correlationData: [UInt8]?
  /// Free name and value pairs, in order.
  package var userProperties: [UserProperty]

  /// One free name and value pair.
  package struct UserProperty: Sendable, Equatable {
    /// The name; names may repeat.
    package var name: String
    /// The value.
    package var value: String

    /// A pair.
    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// No properties at all, or those given.
  package init(
    expirySeconds: UInt32? = nil, contentType: String? = nil, responseTopic: String? = nil,
    correlationData: [UInt8]? = nil, userProperties: [UserProperty] = []
  ) {
    self.expirySeconds = expirySeconds
    self.contentType = contentType
    self.responseTopic = responseTopic
    self.correlationData = correlationData
    self.userProperties = userProperties
  }

  var isEmpty: Bool {
    expirySeconds == nil && contentType == nil && responseTopic == nil && correlationData == nil
      && userProperties.isEmpty
  }
}

/// A message to publish, or to leave with the broker as a will.
package struct MQTTMessage: Sendable, Equatable {
  /// The exact topic, without wildcards.
  package var topic: String
  /// The bytes to deliver.
  package var payload: [UInt8]
  /// How hard to try.
  package var quality: MQTTQuality
  /// Whether the broker keeps the message for later subscribers.
  package var retain: Bool
  /// The MQTT 5 properties.
  package var properties: MQTTProperties

  /// A message made of bytes.
  package init(
    topic: String, payload: [UInt8], quality: MQTTQuality = .atMostOnce, retain: Bool = false,
    properties: MQTTProperties = MQTTProperties()
  ) {
    self.topic = topic
    self.payload = payload
    self.quality = quality
    self.retain = retain
    self.properties = properties
  }

  /// A message made of text, as UTF-8.
  package init(
    topic: String, text: String, quality: MQTTQuality = .atMostOnce, retain: Bool = false,
    properties: MQTTProperties = MQTTProperties()
  ) {
    self.init(
      topic: topic, payload: Array(text.utf8), quality: quality, retain: retain,
      properties: properties)
  }
}
