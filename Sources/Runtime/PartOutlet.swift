import Foundations
import MQTT
import WireProtocol

/// The last step of a part before the connection, where faults are injected. Without any it publishes
/// and does nothing else. What is delayed holds up what comes after it, as it would on a connection: the
/// order of messages says which of them are lost.
final class PartOutlet {
  /// A message on its way later.
  private struct Delayed {
    var due: MonotonicTime
    var topic: String
    var payload: [UInt8]
    var properties: MQTTProperties
  }

  /// Bytes that may wait here; what does not fit is sent at once.
  private static let maximumDelayedBytes = 16 << 20

  var injector = FaultInjector()
  private var fate = FaultInjector.Fate()
  private var delayed: [Delayed] = []
  private var delayedBytes = 0

  /// When the next delayed message is due.
  private(set) var due = MonotonicTime.distantFuture

  /// How many messages wait here.
  var waiting: Int { delayed.count }

  /// Decides about the next part, whose messages follow.
  func beginPart() {
    fate = injector.isActive ? injector.next(at: .now()) : FaultInjector.Fate()
  }

  /// Publishes one message of the part, or does to it what was decided.
  func publish(
    topic: String, payload: UnsafeRawBufferPointer, properties: MQTTProperties,
    through client: MQTTClient
  ) throws(MartletError) {
    if fate == FaultInjector.Fate(), delayed.isEmpty {
      return try client.publish(
        topic: topic, payload: payload, properties: properties, lane: .bulk)
    }
    if fate.isDropped { return }
    var bytes = Array(payload)
    if let place = fate.damage {
      let length = payload.count >= 8 ? payload.loadUnaligned(as: UInt64.self).littleEndian : 0
      injector.damage(
        &bytes, at: place, headerBytes: 8 + Int(clamping: min(length, UInt64(payload.count))))
    }
    if fate.delayNanoseconds > 0 || !delayed.isEmpty,
      delayedBytes + bytes.count <= PartOutlet.maximumDelayedBytes
    {
      let time = max(
        MonotonicTime.now().adding(nanoseconds: fate.delayNanoseconds),
        delayed.last?.due ?? .zero)
      delayed.append(
        Delayed(due: time, topic: topic, payload: bytes, properties: properties))
      delayedBytes += bytes.count
      due = min(due, time)
      return
    }
    try client.publish(
      MQTTMessage(topic: topic, payload: bytes, properties: properties), lane: .bulk)
  }

  /// Publishes what is due. A failure is as good as a part that never came.
  func publishDelayed(at now: MonotonicTime, through client: MQTTClient) {
    guard due <= now else { return }
    for message in delayed where message.due <= now {
      delayedBytes -= message.payload.count
      try? client.publish(
        MQTTMessage(
          topic: message.topic, payload: message.payload, properties: message.properties),
        lane: .bulk)
    }
    delayed.removeAll { $0.due <= now }
    due = delayed.lazy.map(\.due).min() ?? .distantFuture
  }
}
