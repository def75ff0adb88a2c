import Foundations
import MQTT
import Synchronization
import WireProtocol

/// A request as it came, on its way from the network thread to whoever answers.
struct ReceivedCall: Sendable {
  var topic: Topic
  var payload: [UInt8]
  var properties: RPCProperties
  var arrived: MonotonicTime
  /// Why only the envelope is here, if the body was left out.
  var cut: RejectReason?
}

/// Bounds what waits between the network thread and whoever answers calls, so that requests cannot
/// take the room of parts.
final class CallGate: Sendable {
  private struct State {
    var count = 0
    var bytes = 0
    var refused: [RejectReason: UInt64] = [:]
  }

  /// The longest envelope that is looked at when there is no room for the body behind it.
  private static let maximumHeadBytes = 8 << 10

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

  /// Copies a request if there is room for it. Of one with a body for which there is none, the
  /// envelope is copied, so that its sender can be told; others are counted.
  func admit(_ message: borrowing ReceivedMessage, on topic: Topic) -> ReceivedCall? {
    let payload = message.payload
    var kept = payload
    var cut: RejectReason?
    if payload.count > maximumCallBytes { cut = .tooLarge }
    if cut == nil, !reserve(payload.count) { cut = .noRoom }
    if let reason = cut {
      // One byte behind the line feed tells that there was a body.
      let head = payload.prefix(CallGate.maximumHeadBytes)
      guard let end = head.firstIndex(of: UInt8(ascii: "\n")), end + 1 < payload.count,
        reserve(end + 2)
      else {
        state.withLock { $0.refused[reason, default: 0] += 1 }
        return nil
      }
      kept = UnsafeRawBufferPointer(rebasing: payload[..<(end + 2)])
    }
    return ReceivedCall(
      topic: topic, payload: Array(kept), properties: RPCProperties(message.properties),
      arrived: .now(), cut: cut)
  }

  private func reserve(_ size: Int) -> Bool {
    state.withLock { state in
      guard state.count < maximumCount, state.bytes + size <= maximumBytes else { return false }
      state.count += 1
      state.bytes += size
      return true
    }
  }

  /// Makes room again once a request has been handled.
  func handled(_ call: ReceivedCall) {
    state.withLock { state in
      state.count -= 1
      state.bytes -= call.payload.count
    }
  }

  /// The requests that were refused since the last call, by reason.
  func takeRefused() -> [RejectReason: UInt64] {
    state.withLock { state in
      defer { state.refused = [:] }
      return state.refused
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
