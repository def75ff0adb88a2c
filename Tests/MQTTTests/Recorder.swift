import Foundations
import Logging
import MQTT
import Processes

/// Collects what a client's handlers get, and waits for it without sleeping.
///
/// `@unchecked Sendable`: every variable is only touched with `lock` held.
final class Recorder: @unchecked Sendable {
  private let lock = NativeLock()
  private var storedMessages: [MQTTMessage] = []
  private var storedEvents: [MQTTEvent] = []

  var messages: [MQTTMessage] { lock.withLock { storedMessages } }
  var events: [MQTTEvent] { lock.withLock { storedEvents } }

  func add(_ message: borrowing ReceivedMessage) {
    let copy = message.copy()
    lock.withLock { storedMessages.append(copy) }
    lock.broadcast()
  }

  func add(_ event: MQTTEvent) {
    lock.withLock { storedEvents.append(event) }
    lock.broadcast()
  }

  /// Waits until `condition` holds for messages and events; false after `seconds`.
  func wait(
    seconds: Int = 10, _ condition: ([MQTTMessage], [MQTTEvent]) -> Bool
  ) -> Bool {
    let deadline = MonotonicTime.now() + .seconds(seconds)
    return lock.withLock {
      while !condition(storedMessages, storedEvents) {
        if !lock.wait(until: deadline) { return condition(storedMessages, storedEvents) }
      }
      return true
    }
  }

  func waitForMessages(_ count: Int, seconds: Int = 10) -> Bool {
    wait(seconds: seconds) { messages, _ in messages.count >= count }
  }

  func waitForConnections(_ count: Int) -> Bool {
    wait { _, events in events.count { $0 == .connected } >= count }
  }
}

/// A client together with what it received.
struct Peer {
  let client: MQTTClient
  let recorder: Recorder

  /// A client of `address` that retries quickly; not started.
  init(
    _ address: String, _ adjust: (inout MQTTConfiguration) -> Void = { _ in }
  ) throws {
    var configuration = MQTTConfiguration(address: try BrokerAddress(parsing: address))
    configuration.backoff = MQTTBackoff(initial: .milliseconds(20), maximum: .milliseconds(100))
    adjust(&configuration)
    let recorder = Recorder()
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    client = try MQTTClient(configuration, logger: logger) {
      recorder.add($0)
    } onEvent: {
      recorder.add($0)
    }
    self.recorder = recorder
  }

  /// The same, connected and subscribed.
  static func connected(
    _ address: String, subscribing filters: [String] = [],
    _ adjust: (inout MQTTConfiguration) -> Void = { _ in }
  ) throws -> Peer {
    let peer = try Peer(address, adjust)
    try peer.client.subscribe(filters.map { ($0, .atLeastOnce) })
    try peer.client.connect(timeout: .seconds(10))
    return peer
  }
}

/// The error `body` throws, or nil.
func failure(_ body: () throws -> Void) -> MartletError? {
  do {
    try body()
    return nil
  } catch {
    return error as? MartletError
  }
}
