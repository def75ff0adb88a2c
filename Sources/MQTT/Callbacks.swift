import CMosquitto
import Foundations
import Glibc
import Logging
import Synchronization

/// The functions libmosquitto calls. Each runs inside a call that `ConnectionCore` makes with its lock
/// held, and borrows the core that the network thread keeps alive.
extension ConnectionCore {
  /// Installed before the first connection; setting one inside a callback would deadlock.
  static func installCallbacks(on handle: OpaquePointer) {
    mosquitto_connect_v5_callback_set(handle) { _, context, reason, _, properties in
      borrowed(context)?.accepted(reason: reason, properties)
    }
    mosquitto_disconnect_v5_callback_set(handle) { _, context, reason, _ in
      // Reasons of 128 and more come from the broker; smaller ones are the library's error codes, and 0
      // says that the client's own goodbye has been written.
      if reason >= 128 { borrowed(context)?.disconnectReason = reason }
      if reason == 0 { borrowed(context)?.hasSaidGoodbye = true }
    }
    mosquitto_publish_v5_callback_set(handle) { _, context, id, reason, _ in
      borrowed(context)?.published(id: id, reason: reason)
    }
    mosquitto_subscribe_v5_callback_set(handle) { _, context, id, count, granted, _ in
      let codes = granted.map { Array(UnsafeBufferPointer(start: $0, count: Int(count))) } ?? []
      borrowed(context)?.subscribed(id: id, codes: codes)
    }
    mosquitto_message_v5_callback_set(handle) { _, context, message, properties in
      guard let message else { return }
      borrowed(context)?.received(message, properties)
    }
  }

  /// Listens to the library's complaints while a connection is made. Not afterwards: with a log
  /// callback the library formats a line for every packet.
  static func listenToLog(of handle: OpaquePointer, _ isOn: Bool) {
    guard isOn else { return mosquitto_log_callback_set(handle, nil) }
    mosquitto_log_callback_set(handle) { _, context, level, text in
      guard level & Int32(MOSQ_LOG_ERR | MOSQ_LOG_WARNING) != 0, let text else { return }
      let line = String(cString: text)
      borrowed(context)?.complaint.withLock { $0 = line }
    }
  }

  private func accepted(reason: Int32, _ properties: OpaquePointer?) {
    guard reason == 0 else {
      refusal = reason
      return
    }
    phase = .online
    packetLimit = PropertyList.maximumPacketBytes(properties)
    failureLog.reset()
    examination = nil
    onlineSince = .now
    reportedReady = false
    statistics.connections += 1
    subscriptions.reset()
    sendSubscriptions(subscriptions.filters.map { ($0.key, $0.value) })
    for message in outbox.takeWaiting() {
      let sent = message.payload.withUnsafeBytes { payload -> Int32 in
        hand(
          topic: message.topic, payload: payload, quality: message.quality, retain: message.retain,
          properties: message.properties)
      }
      if sent != 0 {
        statistics.rejectedOut += 1
        events.append(
          .publishRefused(
            topic: message.topic, LibraryErrors.rejectedCall(sent, topic: message.topic)))
      }
    }
    if isReady { becameReady() }
  }

  /// Reports `.connected` once for each connection, when the first subscriptions are answered.
  private func becameReady() {
    reportedReady = true
    lastFailure = nil
    events.append(.connected)
    lock.broadcast()
  }

  private func subscribed(id: Int32, codes: [Int32]) {
    // Whoever only tries a topic says itself what came of it.
    for failure in subscriptions.answered(id, codes)
    where subscriptions.filters[failure.filter] != nil {
      let error = MartletError(
        .permissionDenied,
        "The broker refused a subscription: \(LibraryErrors.reasonText(failure.code))",
        context: ["filter": failure.filter], hint: "check the broker's access list")
      events.append(.subscriptionRefused(filter: failure.filter, error))
    }
    if isReady && !reportedReady { becameReady() }
    lock.broadcast()
  }

  private func published(id: Int32, reason: Int32) {
    guard let entry = outbox.finished(id, at: .now()) else { return }
    var isTrial = false
    if entry.quality == .atLeastOnce, let probe = probes[entry.topic] {
      probes[entry.topic]?.acknowledged = reason
      isTrial = probe.isTrial
      lock.broadcast()
    }
    if reason >= 128 {
      statistics.rejectedOut += 1
      // How large a message may be is found out by asking for too much.
      if !isTrial {
        let error = LibraryErrors.refusedMessage(reason: reason, topic: entry.topic)
        events.append(.publishRefused(topic: entry.topic, error))
      }
    }
    if outbox.isEmpty { lock.broadcast() }
  }

  private func received(_ message: UnsafePointer<mosquitto_message>, _ list: OpaquePointer?) {
    let received = ReceivedMessage(message, list)
    if !probes.isEmpty, probeSizes.contains(received.payload.count),
      probes[received.topic]?.matches(received.payload) == true
    {
      probes[received.topic]?.arrived = true
      lock.broadcast()
      return
    }
    statistics.messagesIn += 1
    statistics.bytesIn += received.payload.count
    lock.unlock()
    onMessage(received)
    lock.lock()
  }
}

/// The core behind a callback's user data; a free function, because C callbacks capture nothing.
private func borrowed(_ context: UnsafeMutableRawPointer?) -> ConnectionCore? {
  context.map { Unmanaged<ConnectionCore>.fromOpaque($0).takeUnretainedValue() }
}
