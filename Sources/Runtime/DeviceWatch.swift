package import Foundations
package import Logging
import MQTT
package import WireProtocol

/// Keeps a `DeviceRoster` up to date over a connection of its own. One thread at a time.
package final class DeviceWatch {
  private let mailbox: Mailbox<NetworkEvent>
  private let client: MQTTClient
  private let logger: Logger
  private var roster = DeviceRoster()
  private var isStopped = false

  /// Prepares a watch; nothing is sent before `connect`.
  package init(address: DeploymentAddress, logger: Logger) throws(MartletError) {
    self.logger = logger
    let root = try TopicRoot(deployment: address.deployment)
    let mailbox = Mailbox<NetworkEvent>(maximumBytes: 16 << 20)
    self.mailbox = mailbox
    client = try MQTTClient(
      address.configuration(clientIDPrefix: "watch"), logger: logger,
      onMessage: { NetworkEvent.post($0, root: root, to: mailbox) },
      onEvent: { mailbox.post(.connection($0)) })
    try client.subscribe([
      (try root.path(.allPresence), .atLeastOnce), (try root.path(.allHeartbeats), .atMostOnce),
      (try root.path(.allDescriptions), .atLeastOnce),
    ])
  }

  /// Reaches the broker.
  ///
  /// - Throws: `unreachable` or `permissionDenied` when it cannot within `timeout`.
  package func connect(timeout: Duration) throws(MartletError) {
    try client.connect(timeout: timeout)
  }

  /// Says goodbye to the broker; may be called any number of times.
  package func close() { client.close() }

  /// Makes `wait` throw `cancelled` soon; may be called from any thread.
  package var stopper: @Sendable () -> Void {
    let mailbox = mailbox
    return { mailbox.post(.stop) }
  }

  /// Who is there now.
  package var rows: [DeviceRoster.Row] { roster.rows(at: .now()) }

  /// Listens for `duration`, less if `untilSettled` and everybody has been heard.
  ///
  /// - Throws: `cancelled` when told to stop.
  package func wait(_ duration: Duration, untilSettled: Bool = false) throws(MartletError) {
    let end = MonotonicTime.now() + duration
    while MonotonicTime.now() < end {
      for event in mailbox.take(until: end) {
        switch event {
        case .message(let topic, let payload): roster.receive(payload, on: topic, at: .now())
        case .stop: isStopped = true
        case .connection(.takenOver(let error)): throw error
        case .connection(.disconnected(let error)), .connection(.refused(let error)):
          logger.warning("\(error)")
        case .connection, .unknownTopic, .call, .wake: break
        }
      }
      if isStopped { throw MartletError(.cancelled, "stopped") }
      if untilSettled, roster.isSettled(at: .now()) { return }
    }
  }
}
