import MQTT
import Synchronization
import TensorCore
import WireProtocol

/// A request as it came, on its way from the network thread to whoever answers.
struct ReceivedCall: Sendable {
  var topic: Topic
  var payload: [UInt8]
  var properties: RPCProperties
  var arrived: MonotonicTime
}

/// Bounds what waits between the network thread and whoever answers calls, so that requests cannot
/// take the room of parts.
final class CallGate: Sendable {
  private struct State {
    var count = 0
    var bytes = 0
    var tooLarge: UInt64 = 0
    var noRoom: UInt64 = 0
  }

  private let state = Mutex(State())
  private let maximumCount: Int
  private let maximumBytes: Int
  private let maximumCallBytes: Int

  /// - Parameter maximumCallBytes: larger requests are refused before they are copied.
  init(maximumCount: Int, maximumBytes: Int, maximumCallBytes: Int) {
    self.maximumCount = maximumCount
    self.maximumBytes = maximumBytes
    self.maximumCallBytes = maximumCallBytes
  }

  /// Copies a request if there is room for it; counts it otherwise.
  func admit(_ message: borrowing ReceivedMessage, on topic: Topic) -> ReceivedCall? {
    let size = message.payload.count
    let isAdmitted = state.withLock { state in
      guard size <= maximumCallBytes else {
        state.tooLarge += 1
        return false
      }
      guard state.count < maximumCount, state.bytes + size <= maximumBytes else {
        state.noRoom += 1
        return false
      }
      state.count += 1
      state.bytes += size
      return true
    }
    guard isAdmitted else { return nil }
    return ReceivedCall(
      topic: topic, payload: Array(message.payload), properties: RPCProperties(message.properties),
      arrived: .now())
  }

  /// Makes room again once a request has been handled.
  func handled(_ call: ReceivedCall) {
    state.withLock { state in
      state.count -= 1
      state.bytes -= call.payload.count
    }
  }

  /// How many requests were refused since the last call.
  func takeRefused() -> (tooLarge: UInt64, noRoom: UInt64) {
    state.withLock { state in
      defer { (state.tooLarge, state.noRoom) = (0, 0) }
      return (state.tooLarge, state.noRoom)
    }
  }
}

extension RPCProperties {
  init(_ properties: MQTTProperties) {
    self.init(
      expirySeconds: properties.expirySeconds, contentType: properties.contentType,
      responseTopic: properties.responseTopic, correlation: properties.correlationData)
  }
}

extension MQTTMessage {
  init(_ message: RPCMessage) {
    let properties = message.properties
    self.init(
      topic: message.topic, payload: message.payload, quality: .atLeastOnce,
      properties: MQTTProperties(
        expirySeconds: properties.expirySeconds, contentType: properties.contentType,
        responseTopic: properties.responseTopic, correlationData: properties.correlation,
        userProperties: properties.pairs.map { .init($0.name, $0.value) }))
  }
}
