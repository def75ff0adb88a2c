import MQTT
import WireProtocol

/// What the network thread hands over. Payloads are copies; nothing is decoded on that thread.
enum NetworkEvent: Sendable {
  case message(Topic, [UInt8])
  /// A message on a topic that means nothing here.
  case unknownTopic
  case connection(MQTTEvent)
  /// A request to this process.
  case call(ReceivedCall)
  /// Somebody has something else for this thread to do.
  case wake
  /// Somebody asked this process to stop.
  case stop

  /// Posts a received message.
  ///
  /// - Parameters:
  ///   - gate: bounds the calls that wait; nil for a client, which answers none.
  ///   - watch: sees what comes; nil for a client, which has no heartbeat of its own.
  static func post(
    _ message: borrowing ReceivedMessage, root: TopicRoot, to mailbox: Mailbox<NetworkEvent>,
    calls gate: CallGate? = nil, watch: LinkWatch? = nil
  ) {
    // Somebody finds out what it may publish; nobody else is meant.
    if PermissionCheck.isOne(message.payload) { return }
    guard let topic = root.parse(message.topic) else {
      mailbox.post(.unknownTopic, bytes: 1)
      return
    }
    if case .call = topic, let gate {
      if let call = gate.admit(message, on: topic) { mailbox.post(.call(call)) }
      return
    }
    let payload = message.payload
    watch?.came(payload, on: topic)
    mailbox.post(.message(topic, Array(payload)), bytes: payload.count + 1)
  }
}
