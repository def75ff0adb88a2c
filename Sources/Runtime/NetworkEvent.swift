import MQTT
import WireProtocol

/// What the network thread hands over. Payloads are copies; nothing is decoded on that thread.
enum NetworkEvent: Sendable {
  case message(Topic, [UInt8])
  /// A message on a topic that means nothing here.
  case unknownTopic
  case connection(MQTTEvent)
  /// Somebody asked this process to stop.
  case stop

  /// Posts a received message.
  static func post(
    _ message: borrowing ReceivedMessage, root: TopicRoot, to mailbox: Mailbox<NetworkEvent>
  ) {
    guard let topic = root.parse(message.topic) else {
      mailbox.post(.unknownTopic, bytes: 1)
      return
    }
    let payload = message.payload
    mailbox.post(.message(topic, Array(payload)), bytes: payload.count + 1)
  }
}
