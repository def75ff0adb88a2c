import CMosquitto
import Foundations

/// Finding out how large a message may be.
///
/// Brokers differ: one names its limit when it accepts a client, one acknowledges a message that is too
/// large with a reason, one acknowledges it as if nothing were wrong and drops it, one closes the
/// connection. Without an acknowledgement (QoS 0) the first three look like a dead device.
extension ConnectionCore {
  func largestPayload(
    topic: String, upTo bytes: Int, least: Int, reading: Bool, timeout: Duration
  ) throws(MartletError) -> Int {
    lock.lock()
    defer { lock.unlock() }
    guard phase == .online else { throw offlineError }
    let subscribes = reading && !subscriptions.filters.keys.contains { covers($0, topic) }
    if subscribes { sendSubscriptions([(topic, .atLeastOnce)]) }
    defer {
      isTryingSize = false
      if subscribes, phase == .online { mosquitto_unsubscribe(handle, nil, topic) }
      wakeForWriting()
    }
    let deadline = MonotonicTime.now() + timeout
    var size = bytes
    while true {
      if let room = payloadRoom(topic: topic, properties: MQTTProperties(expirySeconds: 60)) {
        size = min(size, room)
      }
      guard size >= least else {
        throw MartletError(
          .resourceExhausted, "The broker takes no messages that are large enough for tensors",
          context: ["topic": topic, "broker": address, "least bytes": "\(least)"],
          hint: "raise message_size_limit or max_packet_size at the broker")
      }
      isTryingSize = true
      switch try sendProbe(.init(size: size), topic, reading: reading, until: deadline) {
      case .passed: return size
      case .refused, .notBrought: break
      case .cutOff:
        try waitOnline(until: deadline)
        if subscribes { sendSubscriptions([(topic, .atLeastOnce)]) }
      case .notAcknowledged:
        throw MartletError(
          .timedOut, "The broker has not answered in time how large a message may be",
          context: ["topic": topic, "broker": address, "bytes": "\(size)"])
      }
      size /= 2
    }
  }

  /// The most payload bytes of a message that fit the broker's largest packet; nil without a limit.
  func payloadRoom(topic: String, properties: MQTTProperties) -> Int? {
    guard let packetLimit else { return nil }
    // Type and remaining length, topic, packet id, length of the properties.
    let fixed = 1 + 4 + 2 + topic.utf8.count + 2 + 4
    return max(0, packetLimit - fixed - PropertyList.encodedBytes(properties))
  }

  private func waitOnline(until deadline: MonotonicTime) throws(MartletError) {
    while phase != .online {
      guard phase == .connecting || phase == .handshake, lock.wait(until: deadline) else {
        throw offlineError
      }
    }
  }
}
