import Dispatch
import Foundations
import MQTT
import Synchronization
import WireProtocol

/// Publishes heartbeats on a timer of its own, so that a long computation does not look like death:
/// ten a second while there is work, for those who wait for it, and less often in idleness. Each beat
/// says within which time the next follows.
///
/// Where heartbeats come back late, the connection is busy with tensors: fewer are sent, so as not to add to
/// that, and each promises the next for later.
final class Heart: Sendable {
  private struct State {
    var frame: UInt64 = 0
    var queue = 0
    var sequence: UInt64 = 0
    var isFull = false
    var sent = SentNews()
    var lastBeat = MonotonicTime.zero
    /// Whether there was work since the last beat.
    var hasWorked = false
    /// Whether the last beat said that there is work.
    var saidBusy = false
  }

  private let state = Mutex(State())
  private let timer = Mutex<(any DispatchSourceTimer)?>(nil)
  private let client: MQTTClient
  private let topic: String
  private let epoch: UInt64
  private let interval: Duration
  private let watch: LinkWatch?

  /// - Parameter watch: sees the heartbeats come back; nil for one who does not wait for others.
  init(
    client: MQTTClient, topic: String, epoch: UInt64, interval: Duration, watch: LinkWatch? = nil
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
    self.watch = watch
  }

  /// What the next heartbeats say. Whether the device is full is said at once.
  ///
  /// - Parameter sent: how far frames have come since the last call.
  func update(frame: UInt64, queue: Int, isFull: Bool = false, sent: [SentMark] = []) {
    let isNews = state.withLock { state in
      defer { state.isFull = isFull }
      if queue > 0 || frame != state.frame || !sent.isEmpty { state.hasWorked = true }
      for mark in sent { state.sent.add(mark) }
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
      let nanoseconds = DispatchTimeInterval.nanoseconds(Int(tick.nanoseconds))
      source.schedule(deadline: .now() + nanoseconds, repeating: nanoseconds)
      source.setEventHandler { [weak self] in self?.beatIfDue() }
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

  /// How often the heart looks whether to beat.
  private var tick: Duration {
    min(interval, .milliseconds(Heartbeat.busyMilliseconds))
  }

  private func beatIfDue() {
    let isBehind = watch?.isBehind ?? false
    let isDue = state.withLock { state in
      // The first beat without work ends the promise of the last one with it.
      (!isBehind && (state.hasWorked || state.saidBusy))
        || MonotonicTime.now().nanoseconds(since: state.lastBeat) + tick.nanoseconds / 2
          >= interval.nanoseconds
    }
    if isDue { beat() }
  }

  private func beat() {
    let (current, sent) = state.withLock { state in
      state.sequence += 1
      state.lastBeat = .now()
      state.saidBusy = state.hasWorked
      state.hasWorked = state.queue > 0
      let sent = state.sent.say()
      return (state, sent)
    }
    let statistics = client.statistics
    let lag = watch?.expectedLag(bytesPerSecond: statistics.bytesPerSecond) ?? .zero
    let isQuick = current.saidBusy && watch?.isBehind != true
    let next = isQuick ? tick : interval + tick / 2
    let beat = Heartbeat(
      epoch: epoch, sequence: current.sequence, frame: current.frame, queue: current.queue,
      residentBytes: residentBytes(), isFull: current.isFull,
      nextMilliseconds: (next + lag).milliseconds,
      movedBytes: watch.map { $0.receivedBytes + statistics.bulkBytesWritten }, sent: sent)
    guard let payload = try? beat.payload() else { return }
    // Two beats: one that is later than they usually are says nothing about now.
    let life = interval * 2 + lag
    let expiry = UInt32(clamping: max(1, life.nanoseconds / 1_000_000_000))
    watch?.sent(current.sequence, next: next)
    do throws(MartletError) {
      try client.publish(
        MQTTMessage(
          topic: topic, payload: payload, properties: MQTTProperties(expirySeconds: expiry)))
    } catch {
      watch?.failed(current.sequence)
    }
  }
}
