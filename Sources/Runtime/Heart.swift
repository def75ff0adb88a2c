import Dispatch
import MQTT
import Synchronization
import TensorCore
import WireProtocol

/// Publishes heartbeats on a timer of its own, so that a long computation does not look like death.
final class Heart: Sendable {
  private struct State {
    var frame: UInt64 = 0
    var queue = 0
    var sequence: UInt64 = 0
    var isFull = false
  }

  private let state = Mutex(State())
  private let timer = Mutex<(any DispatchSourceTimer)?>(nil)
  private let client: MQTTClient
  private let topic: String
  private let epoch: UInt64
  private let interval: Duration

  init(
    client: MQTTClient, topic: String, epoch: UInt64, interval: Duration
  ) throws(MartletError) {
    guard (10...60_000).contains(interval.milliseconds) else {
      throw MartletError(
        .invalidArgument, "the time between heartbeats must be 10 ms to 60 s",
        context: ["heartbeat": "\(interval)"])
    }
    self.client = client
    self.topic = topic
    self.epoch = epoch
    self.interval = interval
  }

  /// What the next heartbeats say. Whether the device is full is said at once.
  func update(frame: UInt64, queue: Int, isFull: Bool = false) {
    let isNews = state.withLock { state in
      defer { state.isFull = isFull }
      state.frame = frame
      state.queue = queue
      return state.isFull != isFull
    }
    if isNews { beat() }
  }

  /// Begins to beat, with the first beat at once; beats at once also if it was beating already.
  func start() {
    beat()
    timer.withLock { timer in
      guard timer == nil else { return }
      let source = DispatchSource.makeTimerSource(queue: .global(qos: .userInitiated))
      let nanoseconds = DispatchTimeInterval.nanoseconds(Int(interval.nanoseconds))
      source.schedule(deadline: .now() + nanoseconds, repeating: nanoseconds)
      source.setEventHandler { [weak self] in self?.beat() }
      source.resume()
      timer = source
    }
  }

  /// Ends the beats; may be called any number of times.
  func stop() {
    timer.withLock { timer in
      timer?.cancel()
      timer = nil
    }
  }

  private func beat() {
    let current = state.withLock { state in
      state.sequence += 1
      return state
    }
    let beat = Heartbeat(
      epoch: epoch, sequence: current.sequence, frame: current.frame, queue: current.queue,
      residentBytes: residentBytes(), isFull: current.isFull)
    guard let payload = try? beat.payload() else { return }
    // Two beats: a late one says nothing about now.
    let expiry = UInt32(clamping: max(1, 2 * interval.nanoseconds / 1_000_000_000))
    try? client.publish(
      MQTTMessage(
        topic: topic, payload: payload, properties: MQTTProperties(expirySeconds: expiry)))
  }
}
