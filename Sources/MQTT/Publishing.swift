import CMosquitto
import Foundations

/// Sending: all of it with the lock held.
extension ConnectionCore {
  func publish(
    topic: String, payload: UnsafeRawBufferPointer, quality: MQTTQuality, retain: Bool,
    properties: MQTTProperties, lane: MQTTLane
  ) throws(MartletError) {
    // The library takes an Int32 and MQTT ends at 256 MiB for the whole packet.
    guard payload.count <= 268_000_000 else {
      throw MartletError(
        .resourceExhausted, "The message is larger than MQTT allows", context: ["topic": topic])
    }
    // Those of QoS 1 are acknowledged, which takes as long as the broker likes.
    let lane = quality == .atMostOnce ? lane : .prompt
    let cost = Outbox.cost(payload: payload.count, topic: topic)
    guard outbox.hasRoom(for: cost, within: configuration.maximumQueuedBytes) else {
      statistics.rejectedOut += 1
      throw MartletError(
        .resourceExhausted, "Too much is waiting to be sent to the broker",
        context: [
          "topic": topic, "waiting bytes": "\(outbox.bytes)", "waiting messages": "\(outbox.count)",
          "limit": "\(configuration.maximumQueuedBytes)",
        ], hint: phase == .online ? "send less, or raise the queue limit" : "is the broker running?"
      )
    }
    if phase != .online {
      let recovers = phase == .connecting || phase == .handshake
      guard recovers, quality == .atLeastOnce else {
        statistics.rejectedOut += 1
        throw offlineError.adding("topic", topic)
      }
      try validate(topic: topic)
      outbox.append(
        MQTTMessage(
          topic: topic, payload: Array(payload), quality: quality, retain: retain,
          properties: properties))
    } else if lane == .bulk, outbox.mustWait {
      try validate(topic: topic)
      outbox.appendBulk(
        MQTTMessage(
          topic: topic, payload: Array(payload), quality: quality, retain: retain,
          properties: properties))
    } else {
      if lane == .bulk, outbox.bulk.rate.bytesPerSecond != nil, outbox.bulk.isIdle,
        martlet_unsent(mosquitto_socket(handle)) == 0
      {
        outbox.flows()
      }
      let code = try handThrowing(
        topic: topic, payload: payload, quality: quality, retain: retain, properties: properties,
        lane: lane)
      guard code == 0 else {
        statistics.rejectedOut += 1
        throw LibraryErrors.rejectedCall(code, topic: topic)
      }
      wakeForWriting()
    }
    outbox.accepted(lane)
    statistics.messagesOut += 1
    statistics.bytesOut += payload.count
  }

  /// Gives the library what it may have of the bulk lane; not inside a callback, where it would be asked
  /// for the next before it has told that this one is written.
  func handBulk() {
    while phase == .online, let message = outbox.takeBulk() {
      let code = message.payload.withUnsafeBytes {
        hand(
          topic: message.topic, payload: $0, quality: message.quality, retain: message.retain,
          properties: message.properties, lane: .bulk)
      }
      guard code == 0 else {
        statistics.rejectedOut += 1
        outbox.loseBulk()
        continue
      }
    }
    if outbox.isEmpty { lock.broadcast() }
    limitUnsent()
  }

  /// Over a slow connection heartbeats must not wait behind what the system holds, either.
  private func limitUnsent() {
    guard !unsentIsLimited, outbox.bulk.rate.isSlow else { return }
    unsentIsLimited = true
    if case .tcp = configuration.address.endpoint {
      martlet_limit_unsent(mosquitto_socket(handle), Int32(BulkLane.window))
    }
  }

  private func validate(topic: String) throws(MartletError) {
    guard mosquitto_pub_topic_check(topic) == 0, !topic.isEmpty else {
      throw LibraryErrors.rejectedCall(Int32(MOSQ_ERR_INVAL.rawValue), topic: topic)
    }
  }

  /// `handThrowing` for callers inside a callback, which cannot throw; returns the library's code.
  func hand(
    topic: String, payload: UnsafeRawBufferPointer, quality: MQTTQuality, retain: Bool,
    properties: MQTTProperties, lane: MQTTLane = .prompt
  ) -> Int32 {
    do throws(MartletError) {
      return try handThrowing(
        topic: topic, payload: payload, quality: quality, retain: retain, properties: properties,
        lane: lane)
    } catch {
      return Int32(MOSQ_ERR_INVAL.rawValue)
    }
  }

  /// Gives a message to the library, which writes it at once on this thread if the socket has room.
  private func handThrowing(
    topic: String, payload: UnsafeRawBufferPointer, quality: MQTTQuality, retain: Bool,
    properties: MQTTProperties, lane: MQTTLane
  ) throws(MartletError) -> Int32 {
    let list = try PropertyList.make(properties, topic: topic)
    defer { if list != nil { PropertyList.free(list) } }
    var id: Int32 = 0
    outbox.willPublish()
    let code = mosquitto_publish_v5(
      handle, &id, topic, Int32(payload.count), payload.baseAddress, Int32(quality.rawValue),
      retain,
      list)
    // A QoS 1 message is in the library's own queue even when the connection has just broken.
    let kept =
      code == 0
      || (quality == .atLeastOnce
        && [MOSQ_ERR_NO_CONN, MOSQ_ERR_CONN_LOST, MOSQ_ERR_ERRNO].contains { $0.rawValue == code })
    guard kept else {
      outbox.publishFailed()
      return code
    }
    outbox.didPublish(
      id,
      Outbox.Entry(
        bytes: Outbox.cost(payload: payload.count, topic: topic), quality: quality, topic: topic,
        lane: lane), at: .now())
    return 0
  }

  /// Sends SUBSCRIBE packets, in groups by quality so that many filters need few packets.
  func sendSubscriptions(_ wanted: [(filter: String, quality: MQTTQuality)]) {
    for quality in [MQTTQuality.atMostOnce, .atLeastOnce] {
      let filters = wanted.filter { $0.quality == quality }.map(\.filter).sorted()
      var start = 0
      while start < filters.count {
        let group = Array(filters[start..<min(start + 64, filters.count)])
        start += group.count
        var id: Int32 = 0
        let code = withCStrings(group) {
          mosquitto_subscribe_multiple(
            handle, &id, Int32(group.count), $0, Int32(quality.rawValue), 0, nil)
        }
        // A failure means that the connection is going; the whole book is sent again on the next.
        subscriptions.sent(code == 0 ? id : -1, group)
      }
    }
  }
}

/// Calls `body` with an array of C strings.
func withCStrings<Result>(
  _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  let bytes = strings.map { Array($0.utf8CString) }
  var storage = bytes.flatMap { $0 }
  return storage.withUnsafeMutableBufferPointer { buffer in
    var pointers: [UnsafeMutablePointer<CChar>?] = []
    var offset = 0
    for string in bytes {
      pointers.append(buffer.baseAddress.map { $0 + offset })
      offset += string.count
    }
    return pointers.withUnsafeBufferPointer { list in
      // Never empty: groups are not.
      list.baseAddress.map(body)
    }
  }.unsafelyUnwrapped
}
