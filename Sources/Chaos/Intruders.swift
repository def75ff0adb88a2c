import Dispatch
import Foundations
import Glibc
import Logging
import MQTT
import Synchronization
import WireProtocol

/// Somebody who subscribes to all parts and reads them slowly, so that they pile up in the broker.
final class SlowSubscriber {
  private let client: MQTTClient

  /// Subscribes.
  ///
  /// - Throws: what connecting throws.
  init(
    _ configuration: MQTTConfiguration, deployment: String, logger: Logger
  ) throws(MartletError) {
    // Each message holds up the thread that reads the connection.
    client = try MQTTClient(configuration, logger: logger, onMessage: { _ in usleep(50_000) })
    try client.subscribe("martlet/\(TopicRoot.version)/\(deployment)/act/#")
    try client.start()
  }

  /// Leaves.
  func close() { client.close() }
}

/// Somebody who publishes random bytes and messages that are nearly right, as fast as is usual here.
final class GarbagePublisher: Sendable {
  private let isStopped = Mutex(false)
  private let finished = DispatchGroup()
  private let client: MQTTClient
  private let sent = Mutex(0)

  /// Begins to publish.
  ///
  /// - Throws: what making a client throws.
  init(
    _ configuration: MQTTConfiguration, garbage: Garbage, logger: Logger
  ) throws(MartletError) {
    client = try MQTTClient(configuration, logger: logger)
    try client.start()
    let client = client
    DispatchQueue(label: "martlet.garbage").async(group: finished) { [self] in
      var garbage = garbage
      while !isStopped.withLock({ $0 }) {
        let (topic, payload) = garbage.next()
        // Without a broker there is nobody to annoy.
        if (try? client.publish(MQTTMessage(topic: topic, payload: payload))) != nil {
          sent.withLock { $0 += 1 }
        }
        usleep(2000)
      }
    }
  }

  /// Stops; returns how many messages were published.
  func close() -> Int {
    isStopped.withLock { $0 = true }
    finished.wait()
    client.close()
    return sent.withLock { $0 }
  }
}
