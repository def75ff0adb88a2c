import CMosquitto
import Foundations
import Glibc
import Logging
import Synchronization

/// The state behind `MQTTClient`, shared by its callers and one network thread.
///
/// **Locking.** Every call into libmosquitto that touches `handle` is made with `lock` held, with
/// two exceptions: while `phase` is `.connecting`, when only the network thread may touch the handle,
/// and while the message handler runs. So reads, writes and closing the socket never overlap (a
/// publisher cannot write to a descriptor that was closed and given to another file, and OpenSSL is
/// never entered twice). The lock is given up for the length of a message handler: libmosquitto then
/// is inside a callback, where `mosquitto_publish` and `mosquitto_subscribe` from any thread only
/// append to its own locked queue. A handler may therefore publish, and may wait for a lock whose
/// holder publishes.
///
/// **Ownership.** The network thread holds one reference to the core from `start` until it has
/// destroyed the handle; callbacks borrow that reference through the user-data pointer. They run only
/// inside calls into libmosquitto, none of which is made after `mosquitto_destroy`.
///
/// `@unchecked Sendable`: the constants are Sendable; every `var` is only touched with `lock` held,
/// except that the handle's target is used by the network thread alone while `phase` is
/// `.connecting` (see above).
final class ConnectionCore: @unchecked Sendable {
  enum Phase: Equatable {
    /// Before `start`.
    case idle
    /// The network thread is reaching for the broker; nobody else touches the handle.
    case connecting
    /// CONNECT is sent; waiting for the answer.
    case handshake
    /// The broker has accepted this client.
    case online
    /// Another client has this id.
    case takenOver
    /// Nothing more will happen.
    case closed
  }

  let configuration: MQTTConfiguration
  let address: String
  let username: String?
  let password: String?
  let logger: Logger
  let onMessage: MQTTClient.MessageHandler
  let onEvent: MQTTClient.EventHandler
  let lock = NativeLock()
  let wake = WakeEvent()
  /// The library's latest complaint, such as why a certificate was refused.
  let complaint = Mutex<String?>(nil)

  var handle: OpaquePointer?
  var phase = Phase.idle
  var closing = false
  var closesWithWill = false
  var thread: pthread_t?
  /// The thread runs or has ended, and nobody has joined or detached it.
  var needsJoin = false
  /// The network thread polls for writability already, so a publisher need not wake it.
  var pollsForWrite = false
  /// Events to report once the lock is released.
  var events: [MQTTEvent] = []
  var reportedReady = false
  var onlineSince = ContinuousClock.now
  /// When anything came over the present connection last.
  var lastRead: MonotonicTime?
  /// The system was told to hold little of what is sent over the present connection.
  var unsentIsLimited = false
  /// This client cut the connection itself, to inject a fault.
  var severed = false
  var lastFailure: MartletError?
  /// Which failures are worth a line; used by the network thread alone.
  var failureLog = FailureLog()
  /// The connection failed before the broker answered, and not by the broker's word; used by the
  /// network thread alone, as is the next.
  var isUnexplained = false
  /// What was found the last time that the port was looked at, and until when that is good.
  var examination: (finding: TLSExamination.Finding, until: MonotonicTime)?
  /// The answer of the broker to CONNECT when it was no.
  var refusal: Int32?
  /// The reason in the broker's DISCONNECT.
  var disconnectReason: Int32?
  /// Whether the goodbye of this connection has been written.
  var hasSaidGoodbye = false
  /// The largest packet that the broker takes on the present connection, if it named a limit.
  var packetLimit: Int?
  var subscriptions = SubscriptionBook()
  var outbox = Outbox()
  var statistics = MQTTStatistics()
  /// Topics on which `verifyPermission` awaits its own token, or did: overlapping subscriptions may
  /// bring it a second time, when it must not reach the handler either.
  var probes: [String: PermissionProbe] = [:]
  /// The sizes of all tokens ever sent, so that other messages are told from them at once.
  var probeSizes: Set<Int> = []
  /// A trial of a message's size is under way: if the connection ends, it is that.
  var isTryingSize = false

  init(
    _ configuration: MQTTConfiguration, logger: Logger, onEvent: @escaping MQTTClient.EventHandler,
    onMessage: @escaping MQTTClient.MessageHandler
  ) {
    self.configuration = configuration
    self.logger = logger
    self.onEvent = onEvent
    self.onMessage = onMessage
    address = configuration.address.description
    username = configuration.address.username
    password = configuration.address.password
  }

  deinit {
    // Only a client that never got as far as `close` still has one.
    if let handle { mosquitto_destroy(handle) }
  }

  /// Wakes the network thread if the library still has something to write and the thread does not
  /// know it; the lock must be held.
  func wakeForWriting() {
    guard !pollsForWrite, let handle, mosquitto_want_write(handle) else { return }
    pollsForWrite = true
    wake.signal()
  }

  /// Accepted by the broker and all subscriptions answered; the lock must be held.
  var isReady: Bool { phase == .online && subscriptions.unanswered.isEmpty }

  var state: MQTTState {
    switch phase {
    case .idle: .idle
    case .connecting, .handshake: .connecting(lastFailure: lastFailure)
    case .online: isReady ? .connected : .subscribing
    case .takenOver: .takenOver(takeover)
    case .closed: .closed
    }
  }

  var takeover: MartletError {
    MartletError(
      .superseded, "Another client with the same id has taken the connection over",
      context: ["client": configuration.clientID, "broker": address],
      hint: "give every client its own id")
  }

  /// Why nothing can be sent now; the lock must be held.
  var offlineError: MartletError {
    switch phase {
    case .takenOver: return takeover
    case .closed: return MartletError(.unreachable, "The MQTT client is closed")
    case .idle: return MartletError(.unreachable, "The MQTT client is not started")
    default:
      var error = MartletError(
        .unreachable, "The broker is not connected", context: ["broker": address])
      if let lastFailure { error = error.adding("last failure", lastFailure.message) }
      return error
    }
  }
}
