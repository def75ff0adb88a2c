import CMosquitto
import Foundations

/// Finding out what the broker lets this client do. The broker's word for a forbidden message is its
/// acknowledgement; for a forbidden subscription it has none, so that a message has to come back.
extension ConnectionCore {
  func verifyPermission(
    topic: String, reading: Bool, timeout: Duration
  ) throws(MartletError) {
    lock.lock()
    defer { lock.unlock() }
    guard phase == .online else { throw offlineError }
    guard mosquitto_pub_topic_check(topic) == 0, !topic.isEmpty else {
      throw LibraryErrors.rejectedCall(Int32(MOSQ_ERR_INVAL.rawValue), topic: topic)
    }
    // A subscription that covers the topic is what is to be tested; another one would prove less.
    let subscribes = reading && !subscriptions.filters.keys.contains { covers($0, topic) }
    if subscribes { sendSubscriptions([(topic, .atLeastOnce)]) }
    defer {
      if subscribes, phase == .online { mosquitto_unsubscribe(handle, nil, topic) }
      wakeForWriting()
    }
    for _ in 0..<PermissionProbe.attempts {
      switch try sendProbe(.init(), topic, reading: reading, until: .now() + timeout) {
      case .passed: return
      case .refused(let reason):
        guard reason == LibraryErrors.notAuthorized else {
          throw LibraryErrors.refusedMessage(reason: reason, topic: topic)
        }
        throw forbidden("let this client publish to a topic", topic)
      case .notBrought: continue
      case .cutOff: throw offlineError
      case .notAcknowledged:
        throw MartletError(
          .timedOut, "The broker has not answered in time whether a topic may be used",
          context: ["topic": topic, "broker": address])
      }
    }
    throw forbidden("deliver this client's messages on a topic", topic)
  }

  /// Whether a token comes back, for whoever can do without: not long is waited for it.
  func bringsBack(topic: String, timeout: Duration) throws(MartletError) -> Bool {
    lock.lock()
    defer { lock.unlock() }
    guard phase == .online else { throw offlineError }
    let subscribes = !subscriptions.filters.keys.contains { covers($0, topic) }
    if subscribes { sendSubscriptions([(topic, .atLeastOnce)]) }
    defer {
      if subscribes, phase == .online { mosquitto_unsubscribe(handle, nil, topic) }
      wakeForWriting()
    }
    let verdict = try sendProbe(
      .init(), topic, reading: true, grace: PermissionProbe.shortGrace, until: .now() + timeout)
    switch verdict {
    case .passed: return true
    case .refused, .notBrought, .cutOff, .notAcknowledged: return false
    }
  }

  /// What became of a token.
  enum Verdict {
    /// It was acknowledged and, if asked for, came back.
    case passed
    /// The broker acknowledged it with a refusal.
    case refused(Int32)
    /// The broker acknowledged it and did not bring it back.
    case notBrought
    /// The connection ended before that was known.
    case cutOff
    /// Nothing came until the deadline.
    case notAcknowledged
  }

  /// Sends a token and waits for what becomes of it; the lock must be held.
  func sendProbe(
    _ probe: PermissionProbe, _ topic: String, reading: Bool,
    grace: Duration = PermissionProbe.grace, until deadline: MonotonicTime
  ) throws(MartletError) -> Verdict {
    probes[topic] = probe
    probeSizes.insert(probe.size)
    let connection = statistics.connections
    let start = MonotonicTime.now()
    let code = probe.payload.withUnsafeBytes {
      hand(
        topic: topic, payload: $0, quality: .atLeastOnce, retain: false,
        properties: MQTTProperties(expirySeconds: 60))
    }
    guard code == 0 else { throw LibraryErrors.rejectedCall(code, topic: topic) }
    wakeForWriting()
    var end = deadline
    var isAcknowledged = false
    while probes[topic]?.arrived != true {
      guard phase == .online, statistics.connections == connection else { return .cutOff }
      if !isAcknowledged, let reason = probes[topic]?.acknowledged {
        guard reason < 128 else { return .refused(reason) }
        if !reading { return .passed }
        isAcknowledged = true
        // What took long on its way there may take as long on its way back.
        let way = probe.isTrial ? 2 * MonotonicTime.now().nanoseconds(since: start) : 0
        end = .now() + max(grace, .nanoseconds(Int64(clamping: way)))
      }
      guard lock.wait(until: end) || probes[topic]?.arrived == true else {
        if isAcknowledged { return .notBrought }
        if probes[topic]?.acknowledged != nil { continue }
        return .notAcknowledged
      }
    }
    return .passed
  }

  func covers(_ filter: String, _ topic: String) -> Bool {
    var matches = false
    return mosquitto_topic_matches_sub(filter, topic, &matches) == 0 && matches
  }

  private func forbidden(_ what: String, _ topic: String) -> MartletError {
    MartletError(
      .permissionDenied, "The broker does not \(what)",
      context: ["topic": topic, "user": username ?? "none", "broker": address],
      hint: "allow the user to read and write it in the broker's access list (acl_file)")
  }
}
