package import Foundations

/// What happens to a connection; reported on the network thread, with no lock held.
package enum MQTTEvent: Sendable, Equatable {
  /// The broker accepted the client and has answered every subscription. Comes after every
  /// reconnection, too: publish retained state here.
  case connected
  /// A connection that was up is lost; the client is reconnecting.
  case disconnected(MartletError)
  /// An attempt failed: the broker cannot be reached or refused. Attempts go on.
  case refused(MartletError)
  /// Another client with the same id took the connection over. Final: the client does not fight.
  case takenOver(MartletError)
  /// The broker answered a subscription with a refusal.
  case subscriptionRefused(filter: String, MartletError)
  /// The broker answered a QoS 1 publish with a refusal.
  case publishRefused(topic: String, MartletError)
  /// `close` has finished.
  case closed
}

/// Where a client stands.
package enum MQTTState: Sendable, Equatable {
  /// Not started.
  case idle
  /// Reaching for the broker; the last failure, if there was one.
  case connecting(lastFailure: MartletError?)
  /// Accepted by the broker; some subscriptions are not answered yet.
  case subscribing
  /// Accepted, all subscriptions answered.
  case connected
  /// Thrown out by another client with the same id.
  case takenOver(MartletError)
  /// Closed.
  case closed
}

/// Counts since `start`.
package struct MQTTStatistics: Sendable, Equatable {
  /// Messages handed to the message handler.
  package var messagesIn = 0
  /// Payload bytes handed to the message handler.
  package var bytesIn = 0
  /// Messages accepted by `publish`.
  package var messagesOut = 0
  /// Payload bytes accepted by `publish`.
  package var bytesOut = 0
  /// QoS 0 messages accepted but lost with a connection before they were written.
  package var droppedOut = 0
  /// Publishes turned down: offline, over the budget, or refused by the broker.
  package var rejectedOut = 0
  /// Connections established, the first one included.
  package var connections = 0
  /// Bytes waiting to be written or acknowledged, as counted against the budget.
  package var queuedBytes = 0
  /// Messages waiting to be written or acknowledged.
  package var queuedMessages = 0
  /// Messages of the bulk lane that were accepted.
  package var bulkAccepted: UInt64 = 0
  /// Those of them that do not wait any more.
  package var bulkFinished: UInt64 = 0
  /// Bytes of the bulk lane that were written.
  package var bulkBytesWritten: UInt64 = 0
  /// How many bytes a second the connection takes, measured while the bulk lane waits, or supposed; nil
  /// where it is not known, and where it is fast.
  package var bytesPerSecond: Double?
  /// When anything came over the present connection last.
  package var lastRead: MonotonicTime?

  /// All zero.
  package init() {}
}
