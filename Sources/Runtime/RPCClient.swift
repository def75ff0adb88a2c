import Engine
package import Foundations
package import JSONCoding
package import Logging
import MQTT
package import WireProtocol

/// Calls methods of devices and gateways, over a connection of its own. One thread at a time.
package final class RPCClient {
  /// What a call is made of.
  package struct Call: Sendable {
    /// What is called.
    package var method: RPCMethod
    /// The device, or the group of gateways.
    package var target: String
    /// What is asked.
    package var body = RPCBody.none
    /// What else is said.
    package var metadata: [String: String] = [:]
    /// How long to wait; at least a millisecond, at most ten minutes.
    package var deadline = Duration.seconds(5)
    /// Send the request again after so long without an answer, for when a server takes it along as
    /// it dies. The same server executes it once, another one of the group perhaps again.
    package var resendAfter: Duration?

    /// A call with a deadline of five seconds.
    package init(_ method: RPCMethod, target: String) {
      self.method = method
      self.target = target
    }
  }

  private let mailbox: Mailbox<NetworkEvent>
  private let client: MQTTClient
  private let logger: Logger
  private var state: RPCClientState
  private var events: [RPCClientState.Event] = []
  private var calls: UInt64 = 0
  private let prefix = String(UInt64.random(in: .min ... .max), radix: 36)
  private var isStopped = false

  /// Prepares a caller; nothing is sent before `connect`.
  ///
  /// - Parameter name: the `<client>` of the reply topics; the user name if it can be one, so that
  ///   the broker's rights fit, and else a random one.
  /// - Throws: `invalidArgument` for a name that is no identifier.
  package init(
    address: DeploymentAddress, name: String? = nil, logger: Logger
  ) throws(MartletError) {
    self.logger = logger
    let root = try TopicRoot(deployment: address.deployment)
    state = try RPCClientState(client: name ?? address.userName(or: "call"), root: root)
    let mailbox = Mailbox<NetworkEvent>(maximumBytes: WaitingMemory.mailbox)
    self.mailbox = mailbox
    client = try MQTTClient(
      address.configuration(clientIDPrefix: "call"), logger: logger,
      onMessage: { NetworkEvent.post($0, root: root, to: mailbox) },
      onEvent: { mailbox.post(.connection($0)) })
    try client.subscribe(
      try root.path(.replies(client: state.client)), quality: .atLeastOnce)
  }

  /// The `<client>` of the reply topics.
  package var name: String { state.client }

  /// Reaches the broker.
  ///
  /// - Throws: `unreachable` or `permissionDenied` when it cannot within `timeout`.
  package func connect(timeout: Duration) throws(MartletError) {
    try client.connect(timeout: timeout)
  }

  /// Says goodbye to the broker; may be called any number of times.
  package func close() { client.close() }

  /// Makes the methods that wait throw `cancelled` soon; may be called from any thread.
  package var stopper: @Sendable () -> Void {
    let mailbox = mailbox
    return { mailbox.post(.stop) }
  }

  /// Begins a call; `next` tells how it goes.
  ///
  /// - Returns: the call's id.
  /// - Throws: what `RPCClientState.begin` throws, and what publishing does.
  package func start(_ call: Call) throws(MartletError) -> String {
    calls += 1
    let id = "\(prefix)-\(calls)"
    let message = try state.begin(
      call.method, target: call.target, id: id, body: call.body, metadata: call.metadata,
      deadlineMilliseconds: UInt64(call.deadline.milliseconds), at: .now())
    do {
      try client.publish(MQTTMessage(message))
    } catch {
      _ = state.cancel(id)
      throw error
    }
    return id
  }

  /// Sends a request again; see `Call.resendAfter`. Does nothing once an answer has begun.
  package func resend(_ id: String) throws(MartletError) {
    if let message = state.repeated(id, at: .now()) { try client.publish(MQTTMessage(message)) }
  }

  /// Ends a call and tells the other side.
  package func cancel(_ id: String) {
    guard let message = state.cancel(id) else { return }
    try? client.publish(MQTTMessage(message))
    try? client.flush(timeout: .seconds(1))
  }

  /// The next thing that happens to a call, or nil at `end`.
  ///
  /// - Throws: `cancelled` when told to stop.
  package func next(until end: MonotonicTime) throws(MartletError) -> RPCClientState.Event? {
    while true {
      if isStopped { throw MartletError(.cancelled, "stopped") }
      events += state.expire(at: .now())
      if !events.isEmpty { return events.removeFirst() }
      if MonotonicTime.now() >= end { return nil }
      for event in mailbox.take(until: min(end, state.nextDeadline)) {
        switch event {
        case .message(let topic, let payload): events += state.receive(payload, on: topic)
        case .stop: isStopped = true
        case .connection(.takenOver(let error)): throw error
        case .connection(.publishRefused(_, let error)),
          .connection(.subscriptionRefused(_, let error)):
          throw error
        case .connection(.disconnected(let error)), .connection(.refused(let error)):
          logger.warning("\(error)")
        case .connection, .unknownTopic, .call, .wake: break
        }
      }
    }
  }

  /// Makes a call and waits for its end. Told to stop, it cancels the call.
  ///
  /// - Parameter item: gets every item of a stream, or the result of a unary method, and its sender.
  /// - Throws: what the status stands for if it is not `ok`, with the status in the context;
  ///   `cancelled` when told to stop.
  package func call(
    _ call: Call, item: (JSONValue, String) throws(MartletError) -> Void
  ) throws(MartletError) {
    let id = try start(call)
    var nextSend = MonotonicTime.distantFuture
    if let interval = call.resendAfter { nextSend = .now() + interval }
    do throws(MartletError) {
      while true {
        switch try next(until: nextSend) {
        case .item(id, let body, let from)?: try item(body, from)
        case .ended(id, let status)?:
          guard status.code != .ok else { return }
          throw RPCClient.failure(status, call)
        case nil:
          try resend(id)
          if let interval = call.resendAfter { nextSend = .now() + interval }
        default: break
        }
      }
    } catch {
      cancel(id)
      throw error
    }
  }

  /// The result of a unary method.
  ///
  /// - Throws: as `call(_:item:)`.
  package func result(of call: Call) throws(MartletError) -> JSONValue {
    var result = JSONValue.null
    try self.call(call) { body, _ in result = body }
    return result
  }

  private static func failure(_ status: RPCStatus, _ call: Call) -> MartletError {
    var error = MartletError(
      status.code.errorCode, status.message.isEmpty ? "the call failed" : status.message,
      context: [
        "status": "\(status.code.name) (\(status.code.rawValue))", "method": "\(call.method)",
        "target": call.target,
      ])
    if status.code == .deadlineExceeded { error.hint = "martlet devices shows who is there" }
    return error
  }
}
