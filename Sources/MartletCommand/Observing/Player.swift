import Foundations
import Glibc
import MQTT
import Recording
import Synchronization
import WireProtocol

/// Publishes recorded messages when their time comes.
struct Player {
  /// Messages handed to the broker.
  private(set) var published = 0
  /// Messages of topics that are not Martlet's.
  private(set) var foreign = 0
  /// How many were published, by topic, and of each size.
  private var counts: [String: [Int: Int]] = [:]
  private var largest = 0
  private let client: MQTTClient
  private let root: String
  private let speed: Replay.Speed
  private let stopped: StopFlag
  private var start: (recorded: UInt64, now: MonotonicTime)?

  init(client: MQTTClient, root: String, speed: Replay.Speed, stopped: StopFlag) {
    self.client = client
    self.root = root
    self.speed = speed
    self.stopped = stopped
  }

  /// - Returns: false when the user has asked to stop.
  mutating func play(_ message: RecordedMessage) throws(MartletError) -> Bool {
    let levels = message.topic.split(
      separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    guard levels.count == 4, levels[0] == "martlet", levels[1] == TopicRoot.version else {
      foreign += 1
      return stopped.signal == nil
    }
    guard wait(for: message.time) else { return false }
    // The broker delivers what it had kept as retained, and what came while recording as not.
    let isState = ["presence/", "desc/", "plan"].contains { levels[3].hasPrefix($0) }
    let topic = "\(root)/\(levels[3])"
    let size = message.payload.count
    // What is not acknowledged is dropped without a word: the first on a topic stands for the others,
    // and the largest so far for all that are as large.
    let isTrial = counts[topic] == nil || size > largest
    largest = max(largest, size)
    counts[topic, default: [:]][size, default: 0] += 1
    try publish(
      MQTTMessage(
        topic: topic, payload: message.payload,
        quality: message.isAcknowledged || isTrial ? .atLeastOnce : .atMostOnce,
        retain: message.isRetained || isState))
    published += 1
    return true
  }

  /// What the broker did not take of what was published.
  ///
  /// - Parameter refusals: the broker's word, by topic.
  func refused(_ refusals: [String: MartletError]) -> (count: Int, error: MartletError?) {
    let tooLarge = refusals.filter { $0.value.code == .resourceExhausted }
    let limit = tooLarge.keys.compactMap { counts[$0]?.keys.max() }.min() ?? .max
    let forbidden = Set(refusals.keys).subtracting(tooLarge.keys)
    var count = 0
    for (topic, sizes) in counts {
      count += sizes.reduce(0) {
        $0 + (forbidden.contains(topic) || $1.key >= limit ? $1.value : 0)
      }
    }
    guard let first = forbidden.min() ?? tooLarge.keys.min(), var error = refusals[first] else {
      return (0, nil)
    }
    error.message = "the broker did not take \(count) of \(published) messages: \(error.message)"
    if refusals.count > 1 { error = error.adding("topics", "\(refusals.count)") }
    return (count, error)
  }

  private mutating func wait(for time: UInt64) -> Bool {
    guard case .times(let factor) = speed else { return stopped.signal == nil }
    let start = start ?? (time, .now())
    self.start = start
    // A clock that was set back while recording makes no pause.
    let nanoseconds = time > start.recorded ? Double(time - start.recorded) / factor : 0
    let due = start.now.adding(nanoseconds: UInt64(min(nanoseconds, 1e18)))
    while stopped.signal == nil {
      let left = due.nanoseconds(since: .now())
      if left == 0 { return true }
      Terminal.progress("\(published) messages")
      usleep(UInt32(min(left / 1000 + 1, 50_000)))
    }
    return false
  }

  private func publish(_ message: MQTTMessage) throws(MartletError) {
    do {
      try client.publish(message)
    } catch let error where error.code == .resourceExhausted {
      // Faster than the broker: let it catch up.
      try client.flush(timeout: .seconds(30))
      try client.publish(message)
    }
  }
}

/// What the broker refused, collected on the network thread.
final class Refusals: Sendable {
  private let errors = Mutex<[String: MartletError]>([:])

  /// The first refusal of each topic.
  var byTopic: [String: MartletError] { errors.withLock { $0 } }

  func add(_ topic: String, _ error: MartletError) {
    errors.withLock { errors in if errors[topic] == nil { errors[topic] = error } }
  }
}
