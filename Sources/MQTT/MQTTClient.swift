import CMosquitto
package import Foundations
import Glibc
package import Logging

/// An MQTT 5 client that stays connected.
///
/// One network thread reads, reconnects with growing random waits, and subscribes again after every
/// reconnection. `publish` writes on the caller's thread when the socket has room. The message
/// handler runs on the network thread with the payload lent to it: copy or be quick.
///
/// A handler may publish and subscribe; it must not wait for something that only a later message
/// can bring, and must not call the methods that wait (`connect`, `waitUntilReady`, `flush`,
/// `verifyPermission`).
///
/// SIGPIPE is ignored for the whole process from the first client on, because libmosquitto writes
/// to sockets without asking for silence.
package final class MQTTClient: Sendable {
  /// Receives messages on the network thread.
  package typealias MessageHandler = @Sendable (borrowing ReceivedMessage) -> Void
  /// Receives events on the network thread, with no lock held.
  package typealias EventHandler = @Sendable (MQTTEvent) -> Void

  private let core: ConnectionCore

  /// Once per process; never undone, because other clients may still be running.
  private static let prepareLibrary: Void = {
    mosquitto_lib_init()
    var action = sigaction()
    if sigaction(SIGPIPE, nil, &action) == 0, action.__sigaction_handler.sa_handler == nil {
      signal(SIGPIPE, SIG_IGN)
    }
  }()

  /// A client that is not connected yet.
  ///
  /// - Throws: `invalidArgument` or `permissionDenied` for a configuration that cannot work or would
  ///   send secrets in the clear; `invalidFile` for unusable TLS files.
  package init(
    _ configuration: MQTTConfiguration, logger: Logger,
    onMessage: @escaping MessageHandler = { _ in }, onEvent: @escaping EventHandler = { _ in }
  ) throws(MartletError) {
    try configuration.validate()
    _ = Self.prepareLibrary
    core = ConnectionCore(configuration, logger: logger, onEvent: onEvent, onMessage: onMessage)
    try core.makeHandle()
  }

  deinit {
    close()
  }

  /// Starts connecting and returns at once. Does nothing when started already.
  package func start() throws(MartletError) {
    core.lock.lock()
    defer { core.lock.unlock() }
    guard core.phase != .closed, !core.closing else { throw core.offlineError }
    guard core.phase == .idle else { return }
    core.phase = .connecting
    try core.launch()
  }

  /// Starts, and waits until the broker has accepted the client and answered its subscriptions.
  ///
  /// - Throws: as `waitUntilReady`.
  package func connect(timeout: Duration) throws(MartletError) {
    try start()
    try waitUntilReady(timeout: timeout)
  }

  /// Waits until the broker has accepted the client and answered every subscription.
  ///
  /// - Throws: `permissionDenied` as soon as the broker refuses the credentials or its certificate cannot
  ///   be trusted; `invalidArgument` as soon as it is clear that the port wants TLS or does not have it;
  ///   `superseded` after a takeover; after `timeout` the latest failure, or `timedOut`. The client
  ///   goes on trying in the background until it is closed.
  package func waitUntilReady(timeout: Duration) throws(MartletError) {
    let deadline = MonotonicTime.now() + timeout
    core.lock.lock()
    defer { core.lock.unlock() }
    while !core.isReady {
      switch core.phase {
      case .idle, .takenOver, .closed: throw core.offlineError
      case .connecting, .handshake, .online: break
      }
      // What no waiting mends.
      if let failure = core.lastFailure,
        [.permissionDenied, .invalidArgument].contains(failure.code)
      {
        throw failure
      }
      guard core.lock.wait(until: deadline) else {
        if core.isReady { return }
        throw core.lastFailure
          ?? MartletError(
            .timedOut, "The broker did not accept the client in time",
            context: ["broker": core.address])
      }
    }
  }

  /// Says goodbye to the broker, which then forgets the will, and ends the network thread. May be
  /// called any number of times and from handlers; returns when the thread has ended, except when
  /// called on that thread. Do not hold a lock that a handler takes: the thread could not end.
  ///
  /// - Parameter publishingWill: asks the broker to publish the will all the same.
  package func close(publishingWill: Bool = false) {
    core.close(publishingWill: publishingWill)
  }

  /// Publishes bytes that stay where they are: the library copies them once, into its packet.
  ///
  /// What goes by the bulk lane is given to the connection little by little, so that what is published
  /// promptly does not wait behind all of it. Within a lane messages keep their order.
  ///
  /// QoS 0 needs a connection; QoS 1 without one is kept, within the budget, and sent later.
  ///
  /// - Throws: `unreachable` when not connected (QoS 0); `resourceExhausted` when the budget is used
  ///   up or the broker accepts no message of that size; `invalidArgument` for a bad topic;
  ///   `superseded` after a takeover.
  package func publish(
    topic: String, payload: UnsafeRawBufferPointer, quality: MQTTQuality = .atMostOnce,
    retain: Bool = false, properties: MQTTProperties = MQTTProperties(),
    lane: MQTTLane = .prompt
  ) throws(MartletError) {
    core.lock.lock()
    defer { core.lock.unlock() }
    try core.publish(
      topic: topic, payload: payload, quality: quality, retain: retain, properties: properties,
      lane: lane)
  }

  /// Publishes a message; see the variant with an unsafe buffer for what is thrown.
  package func publish(
    _ message: MQTTMessage, lane: MQTTLane = .prompt
  ) throws(MartletError) {
    let result = message.payload.withUnsafeBytes { payload -> Result<Void, MartletError> in
      do throws(MartletError) {
        try publish(
          topic: message.topic, payload: payload, quality: message.quality, retain: message.retain,
          properties: message.properties, lane: lane)
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  /// Asks for messages, now and after every reconnection. Returns before the broker has answered:
  /// `waitUntilReady` waits for that.
  ///
  /// - Throws: `invalidArgument` for a filter that is not valid MQTT; nothing is subscribed then.
  package func subscribe(
    _ filters: [(filter: String, quality: MQTTQuality)]
  ) throws(MartletError) {
    for (filter, _) in filters {
      guard mosquitto_sub_topic_check(filter) == 0, !filter.isEmpty, !filter.utf8.contains(0) else {
        throw MartletError(
          .invalidArgument, "The subscription is not valid MQTT", context: ["filter": filter])
      }
    }
    core.lock.lock()
    defer { core.lock.unlock() }
    for (filter, quality) in filters { core.subscriptions.add(filter, quality) }
    guard core.phase == .online else { return }
    core.sendSubscriptions(filters)
    core.wakeForWriting()
  }

  /// Asks for messages of one filter.
  package func subscribe(_ filter: String, quality: MQTTQuality = .atMostOnce) throws(MartletError)
  {
    try subscribe([(filter, quality)])
  }

  /// Asks for no more messages of these filters.
  package func unsubscribe(_ filters: [String]) {
    core.lock.lock()
    defer { core.lock.unlock() }
    for filter in filters {
      core.subscriptions.remove(filter)
      if core.phase == .online { mosquitto_unsubscribe(core.handle, nil, filter) }
    }
    core.wakeForWriting()
  }

  /// Takes a first guess of how fast the connection is from what the system saw so far, until something
  /// has to wait for it. A machine or a broker that is busy does not make it slower.
  package func supposeRate() {
    core.lock.withLock {
      guard core.phase == .online, case .tcp = core.configuration.address.endpoint else { return }
      let rate = martlet_link_rate(mosquitto_socket(core.handle))
      if rate > 0 { core.outbox.suppose(rate) }
    }
  }

  /// Waits until everything published so far is written (QoS 0) or acknowledged (QoS 1).
  ///
  /// - Throws: `timedOut`, or the reason why there is no connection.
  package func flush(timeout: Duration) throws(MartletError) {
    try core.flush(timeout: timeout)
  }

  /// Finds out whether the broker lets this client publish to a topic and receive from it.
  ///
  /// A broker with an access list grants a forbidden subscription and then stays silent, which looks
  /// like a dead peer. This publishes a random token to `topic`, which whoever else reads the topic has
  /// to ignore, and waits for it to return, over a subscription that is there already if one covers it.
  ///
  /// - Parameters:
  ///   - reading: false to find out about publishing only.
  ///   - timeout: how long the broker may take to acknowledge the token.
  /// - Throws: `permissionDenied`, naming the topic, when the broker refuses the token, or acknowledges
  ///   it and does not bring it back; `timedOut` or `unreachable` when that cannot be found out.
  package func verifyPermission(
    topic: String, reading: Bool = true, timeout: Duration
  ) throws(MartletError) {
    try core.verifyPermission(topic: topic, reading: reading, timeout: timeout)
  }

  /// Finds out whether this client gets what it publishes to a topic, without making a mistake of it if
  /// not: where a broker is slow to bring its token, the answer is no.
  ///
  /// - Throws: what keeps it from being tried.
  package func bringsBack(topic: String, timeout: Duration) throws(MartletError) -> Bool {
    try core.bringsBack(topic: topic, timeout: timeout)
  }

  /// Finds out how many bytes of payload the broker lets this client publish to a topic, up to `bytes`:
  /// it publishes as many, and half as many again and again, until a message is taken. A broker that
  /// closes the connection over it is reached anew.
  ///
  /// Whoever else reads the topic has to ignore these messages. Check with `verifyPermission` first that
  /// the topic may be used at all.
  ///
  /// - Parameters:
  ///   - least: with less than this the topic is of no use.
  ///   - reading: whether the messages must come back, for brokers that acknowledge what they drop.
  ///   - timeout: for all of it.
  /// - Throws: `resourceExhausted` when the broker does not take even `least` bytes; `timedOut` or
  ///   `unreachable` when that cannot be found out.
  package func largestPayload(
    topic: String, upTo bytes: Int, least: Int, reading: Bool, timeout: Duration
  ) throws(MartletError) -> Int {
    try core.largestPayload(
      topic: topic, upTo: bytes, least: least, reading: reading, timeout: timeout)
  }

  /// The most payload bytes of a message that fit the largest packet that the broker said it takes;
  /// nil while it has named no limit.
  package func payloadRoom(topic: String, properties: MQTTProperties) -> Int? {
    core.lock.withLock { core.payloadRoom(topic: topic, properties: properties) }
  }

  /// Cuts the connection as a network failure would: no goodbye, so the broker publishes the will,
  /// and the client reconnects. For fault injection and tests.
  package func severConnection() {
    core.lock.lock()
    defer { core.lock.unlock() }
    guard core.phase == .online, let handle = core.handle else { return }
    core.severed = true
    let socket = mosquitto_socket(handle)
    if socket >= 0 { shutdown(socket, Int32(SHUT_RDWR)) }
  }

  /// Where the client stands.
  package var state: MQTTState { core.lock.withLock { core.state } }

  /// The name shown to the broker.
  package var clientID: String { core.configuration.clientID }

  /// Counts since `start`.
  package var statistics: MQTTStatistics {
    core.lock.withLock {
      var statistics = core.statistics
      statistics.queuedBytes = core.outbox.bytes
      statistics.queuedMessages = core.outbox.count
      statistics.bulkAccepted = core.outbox.bulk.accepted
      statistics.bulkFinished = core.outbox.bulk.finished
      statistics.bulkBytesWritten = core.outbox.bulk.bytesWritten
      statistics.bytesPerSecond = core.outbox.bulk.rate.bytesPerSecond
      statistics.lastRead = core.lastRead
      return statistics
    }
  }
}
