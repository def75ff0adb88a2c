package import Foundations

/// The answer of `device/stats`: what a device has done since it started.
package struct DeviceStats: WireMessage, Equatable {
  /// The device.
  package var device: String
  /// The epoch of the run.
  package var epoch: UInt64
  /// Milliseconds since the start.
  package var uptimeMilliseconds: UInt64 = 0
  /// Milliseconds of processor time, all threads together.
  package var cpuMilliseconds: UInt64 = 0
  /// Resident memory in bytes.
  package var residentBytes: UInt64 = 0
  /// Frames begun and waiting.
  package var queue = 0
  /// Frames computed to their end.
  package var framesFinished: UInt64 = 0
  /// Frames that their clients did not count on this device for.
  package var framesSkipped: UInt64 = 0
  /// Frames dropped whole because others were waiting.
  package var framesDropped: UInt64 = 0
  /// The frame finished last.
  package var lastFrame: UInt64 = 0
  /// Messages from the broker.
  package var receivedMessages: UInt64 = 0
  /// Payload bytes from the broker.
  package var receivedBytes: UInt64 = 0
  /// Messages to the broker.
  package var sentMessages: UInt64 = 0
  /// Payload bytes to the broker.
  package var sentBytes: UInt64 = 0
  /// Messages that the connection did not take or lost.
  package var failedMessages: UInt64 = 0
  /// Connections to the broker, the first included.
  package var connections: UInt64 = 0
  /// Messages not used, by reason.
  package var drops: [String: UInt64] = [:]
  /// What it thinks of the other devices.
  package var peers: [String: PeerState] = [:]

  /// A device that has done nothing yet.
  package init(device: String, epoch: UInt64) {
    self.device = device
    self.epoch = epoch
  }

  /// The most bytes of a payload.
  package static let maximumBytes = 256 << 10

  /// Checks ranges; see `WireMessage`.
  package func check() throws(MartletError) {
    try Field.identifier(device, "device")
    try Field.number(epoch, "epoch")
    try Field.count(queue, "queue", atMost: 1 << 30)
    try Field.count(drops.count, "drops", atMost: 64)
    try Field.count(peers.count, "peers", atMost: 1024)
  }

  enum CodingKeys: String, CodingKey {
    case device, epoch
    case uptimeMilliseconds = "uptime_ms"
    case cpuMilliseconds = "cpu_ms"
    case residentBytes = "rss_bytes"
    case queue
    case framesFinished = "frames_finished"
    case framesSkipped = "frames_skipped"
    case framesDropped = "frames_dropped"
    case lastFrame = "last_frame"
    case receivedMessages = "received_messages"
    case receivedBytes = "received_bytes"
    case sentMessages = "sent_messages"
    case sentBytes = "sent_bytes"
    case failedMessages = "failed_messages"
    case connections, drops, peers
  }
}

/// What `device/stats` is asked: how often and how many times to answer.
package struct StatsRequest: WireMessage, Equatable {
  /// How many answers: one, unless more are asked for; at most 10,000.
  package var count: Int?
  /// Milliseconds between two: 10 to 60,000, 1,000 unless told otherwise.
  package var everyMilliseconds: Int?

  /// One answer.
  package init() {}

  /// The most bytes of a payload.
  package static let maximumBytes = 4096

  /// Checks ranges; see `WireMessage`.
  package func check() throws(MartletError) {
    try Field.require((1...10_000).contains(count ?? 1), "count", "\(count ?? 0)")
    try Field.require(
      (10...60_000).contains(everyMilliseconds ?? 1000), "every_ms", "\(everyMilliseconds ?? 0)")
  }

  enum CodingKeys: String, CodingKey {
    case count
    case everyMilliseconds = "every_ms"
  }
}
