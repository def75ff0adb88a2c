package import Foundations
import MQTT
import Plan
import WireProtocol

/// How a client comes and goes.
extension InferenceClient {
  /// Asks for what devices say of themselves, and for what this client gathers.
  func subscribe(_ plan: Plan) throws(MartletError) {
    var filters: [(filter: String, quality: MQTTQuality)] = [
      (try root.path(.allPresence), .atLeastOnce), (try root.path(.allHeartbeats), .atMostOnce),
      (try root.path(.allDescriptions), .atLeastOnce),
    ]
    for exchange in plan.possibleGatherings(device: nil).map({ plan.exchanges[$0] }) {
      for device in exchange.senders.map({ plan.devices[$0].name }) {
        filters.append(
          (try root.path(.activation(layer: exchange.id, device: device)), .atMostOnce))
      }
    }
    try client.subscribe(filters)
  }

  /// Reaches the broker.
  ///
  /// - Throws: `unreachable` or `permissionDenied` when it cannot within the patience; the latter also
  ///   when the broker does not let this client send frames.
  package func connect() throws(MartletError) {
    guard try client.connect(patience: configuration.patience, unless: stop) else {
      throw MartletError(.cancelled, "stopped")
    }
    // Results are acknowledged, inputs are not: a forbidden one would look like absent devices.
    try client.checkPermissions(inputTopics, reading: false, logger: logger)
    // A broker may acknowledge what it drops. Only what comes back shows that it does not, and not
    // every access list lets a client, or a gateway, read its own inputs.
    let reading = (try? client.bringsBack(topic: fit.topic, timeout: .seconds(5))) ?? false
    try fit.find(
      plainEncoder.largestMessage(header), reading: reading, through: client, logger: logger)
  }

  /// Says goodbye to the broker; may be called any number of times.
  package func close() { client.close() }

  /// Makes `connect`, `next` and `waitForDevices` throw `cancelled` soon; may be called
  /// from any thread.
  package var stopper: @Sendable () -> Void {
    let (mailbox, stop) = (mailbox, stop)
    return {
      stop.make()
      mailbox.post(.stop)
    }
  }

  /// Makes `next(until:)` return soon, with or without an answer; may be called from any thread.
  package var waker: @Sendable () -> Void {
    let mailbox = mailbox
    return { mailbox.post(.wake) }
  }
}
