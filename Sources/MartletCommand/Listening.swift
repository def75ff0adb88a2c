import Inspection
import Logging
import MQTT
import Processes
import Runtime
import TensorCore

/// A connection that only listens, for the length of a call.
enum Listening {
  /// Connects, subscribes and runs `body`, which waits on `queue`. SIGINT, SIGTERM, a refused
  /// subscription and a taken-over connection end that waiting.
  ///
  /// - Throws: what the broker says when it is not reached within `patience`.
  static func run(
    _ address: DeploymentAddress, filters: [String], patience: Duration, logger: Logger,
    queue: MessageQueue, onMessage: @escaping MQTTClient.MessageHandler,
    onConnection: @escaping @Sendable (Bool) -> Void = { _ in }, _ body: () throws -> Void
  ) throws {
    let client = try MQTTClient(
      address.broker, logger: logger, onMessage: onMessage,
      onEvent: { event in
        switch event {
        case .takenOver(let error), .subscriptionRefused(_, let error): queue.fail(error)
        case .connected: onConnection(true)
        case .disconnected, .refused: onConnection(false)
        case .publishRefused, .closed: break
        }
      })
    defer { client.close() }
    let signals = try TerminationSignals { _ in
      queue.close()
      client.close()
    }
    defer { signals.stop() }
    try client.subscribe(filters.map { ($0, .atMostOnce) })
    do {
      try client.connect(timeout: patience)
    } catch {
      // The user did not want to wait any longer.
      if case .closed? = try? queue.take(until: .zero) { return }
      throw error
    }
    try body()
  }
}

extension MessageQueue {
  /// Copies a message that came now, if there is room.
  func offer(_ message: borrowing ReceivedMessage) {
    let bytes = message.payload.count + message.topicBytes.count
    offer(bytes: bytes) {
      ObservedMessage(
        topic: message.topic, payload: Array(message.payload), isRetained: message.retained,
        expirySeconds: message.retained ? message.properties.expirySeconds : nil, time: .now(),
        unixMilliseconds: unixMilliseconds())
    }
  }
}
