package import Foundations
package import Logging
import MQTT
package import Recording

/// What a broker sends for some filters, in order, for one thread that takes it at its own pace.
///
/// Holds at most so many bytes; what comes beyond is dropped and counted, so that a slow consumer
/// costs neither memory nor the broker's patience.
package final class TopicStream: Sendable {
  /// Something that happened.
  package enum Event: Sendable {
    /// A message came.
    case message(RecordedMessage)
    /// The connection is there again.
    case connected
    /// The connection is lost, or an attempt to get it back failed.
    case disconnected(MartletError)
    /// Cannot go on: another client has taken the connection over, or the broker refuses.
    case failed(MartletError)
    /// Somebody asked to stop.
    case stop
  }

  private let client: MQTTClient
  private let mailbox: Mailbox<Event>

  /// Prepares a stream; nothing is sent before `connect`.
  ///
  /// - Parameters:
  ///   - filters: full MQTT filters.
  ///   - maximumBytes: how much may wait.
  /// - Throws: `invalidArgument` for a filter that is not valid MQTT, and what `MQTTClient` throws.
  package init(
    address: DeploymentAddress, filters: [String], purpose: String, maximumBytes: Int = 64 << 20,
    logger: Logger
  ) throws(MartletError) {
    let mailbox = Mailbox<Event>(maximumBytes: maximumBytes)
    self.mailbox = mailbox
    client = try MQTTClient(
      address.configuration(clientIDPrefix: purpose), logger: logger,
      onMessage: { message in
        let payload = message.payload
        var copy = RecordedMessage(
          time: RecordedMessage.now(), topic: message.topic, payload: Array(payload),
          isRetained: message.retained, isAcknowledged: message.quality == .atLeastOnce)
        if copy.isRetained { copy.expirySeconds = message.properties.expirySeconds }
        mailbox.post(.message(copy), bytes: payload.count + 128)
      },
      onEvent: { event in
        switch event {
        case .connected: mailbox.post(.connected)
        case .disconnected(let error), .refused(let error): mailbox.post(.disconnected(error))
        case .takenOver(let error), .subscriptionRefused(_, let error):
          mailbox.post(.failed(error))
        case .publishRefused, .closed: break
        }
      })
    try client.subscribe(filters.map { ($0, .atLeastOnce) })
  }

  /// Reaches the broker.
  ///
  /// - Throws: `unreachable` or `permissionDenied` when that fails within `patience`.
  package func connect(patience: Duration) throws(MartletError) {
    try client.connect(timeout: patience)
  }

  /// Everything that has come, waiting until `deadline` for the first of it.
  package func take(until deadline: MonotonicTime) -> [Event] { mailbox.take(until: deadline) }

  /// How many messages there was no room for since the last call.
  package func takeDropped() -> Int { mailbox.takeDropped() }

  /// Makes `take` return `stop` soon; may be called from any thread.
  package var stopper: @Sendable () -> Void {
    let mailbox = mailbox
    return { mailbox.post(.stop) }
  }

  /// Leaves the broker; may be called any number of times.
  package func close() { client.close() }
}
