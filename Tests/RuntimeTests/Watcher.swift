import Foundations
import MQTT
import Processes
import Synchronization

/// A bare MQTT client that remembers what it received and waits for more.
final class Watcher: Sendable {
  /// `@unchecked Sendable`: `messages` is only touched with `lock` held.
  private final class Inbox: @unchecked Sendable {
    let lock = NativeLock()
    var messages: [MQTTMessage] = []
  }

  let client: MQTTClient
  private let inbox: Inbox

  /// Connects, as `user` if the broker wants one.
  init(_ broker: EmbeddedBroker, user: String? = nil, password: String? = nil) throws {
    let inbox = Inbox()
    var address = try BrokerAddress(parsing: broker.socketAddress)
    (address.username, address.password) = (user, password)
    client = try MQTTClient(
      MQTTConfiguration(address: address, clientIDPrefix: "watcher"), logger: quietLogger,
      onMessage: { message in
        let copy = message.copy()
        inbox.lock.withLock { inbox.messages.append(copy) }
        inbox.lock.broadcast()
      })
    self.inbox = inbox
    try client.connect(timeout: .seconds(10))
  }

  /// What has come so far.
  var messages: [MQTTMessage] { inbox.lock.withLock { inbox.messages } }

  /// Waits until `find` finds something among all that has come; nil after `seconds`.
  func wait<Found>(seconds: Int = 20, _ find: ([MQTTMessage]) -> Found?) -> Found? {
    let deadline = MonotonicTime.now() + .seconds(seconds)
    return inbox.lock.withLock {
      while true {
        if let found = find(inbox.messages) { return found }
        if !inbox.lock.wait(until: deadline) { return find(inbox.messages) }
      }
    }
  }
}
