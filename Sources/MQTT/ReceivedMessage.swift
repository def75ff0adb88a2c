import CMosquitto
import Glibc

/// A message lent to the handler for the length of one call.
///
/// It cannot be copied, so it cannot be kept: everything behind it dies when the handler returns.
/// Take what is needed (`topic` is a `String` and may be kept; copy the payload) and return.
package struct ReceivedMessage: ~Copyable {
  private let message: UnsafePointer<mosquitto_message>
  private let list: OpaquePointer?

  init(_ message: UnsafePointer<mosquitto_message>, _ list: OpaquePointer?) {
    self.message = message
    self.list = list
  }

  /// The topic it was published to.
  package var topic: String { message.pointee.topic.map { String(cString: $0) } ?? "" }

  /// The topic's bytes, without making a `String`; valid during the call.
  package var topicBytes: UnsafeRawBufferPointer {
    guard let topic = message.pointee.topic else {
      return UnsafeRawBufferPointer(start: nil, count: 0)
    }
    return UnsafeRawBufferPointer(start: topic, count: strlen(topic))
  }

  /// The payload's bytes; valid during the call.
  package var payload: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      start: message.pointee.payload, count: Int(max(0, message.pointee.payloadlen)))
  }

  /// How it was delivered.
  package var quality: MQTTQuality { message.pointee.qos == 0 ? .atMostOnce : .atLeastOnce }

  /// Whether the broker kept it from before the subscription.
  package var retained: Bool { message.pointee.retain }

  /// The MQTT 5 properties, read anew at every use.
  package var properties: MQTTProperties { PropertyList.read(list) }

  /// A copy that may be kept.
  package func copy() -> MQTTMessage {
    MQTTMessage(
      topic: topic, payload: Array(payload), quality: quality, retain: retained,
      properties: properties)
  }
}
