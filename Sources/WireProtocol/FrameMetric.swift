package import Foundations

/// A device's work. Topic `metric/<device>/frame`.
///
/// Times are added up over frames; frames under way at once wait at once, so that waiting may be
/// longer than the interval.
package struct FrameMetric: MetricMessage, Equatable {
  /// The last level of its topic.
  package static let kind = MetricKind.frame
  /// The run of the device that this belongs to.
  package var epoch: UInt64
  /// Counts the device's messages of this kind.
  package var sequence: UInt64
  /// Time since the message before.
  package var intervalMilliseconds: Double
  /// Frames computed to the end.
  package var frames: UInt64
  /// Those of them for which a part was missing here.
  package var framesDegraded: UInt64
  /// Frames given up before their last part was computed, because there was no room for them or the
  /// client no longer waited for them. Every frame whose input came and that the device was to take part
  /// in is counted once, here or in `frames`; one to whose answer the device gave its last part never
  /// counts as dropped.
  package var framesDropped: UInt64
  /// Time spent computing.
  package var computeMilliseconds: Double
  /// Time spent waiting for others' parts.
  package var waitMilliseconds: Double
  /// Time spent encoding and publishing parts.
  package var sendMilliseconds: Double
  /// Time spent decoding and placing inputs and parts.
  package var receiveMilliseconds: Double
  /// Bytes of parts published.
  package var sentBytes: UInt64
  /// Bytes of inputs and parts received.
  package var receivedBytes: UInt64
  /// Parts filled because they were missing, by reason.
  package var fills: [String: UInt64]
  /// Messages not used, by reason.
  package var drops: [String: UInt64]
  /// The same by stage, in the order of the plan; a stage is named after the layer exchanged at its
  /// end.
  package var stages: [StageMetric]

  /// Makes a message; everything that is not named is zero.
  package init(epoch: UInt64, sequence: UInt64, intervalMilliseconds: Double) {
    self.epoch = epoch
    self.sequence = sequence
    self.intervalMilliseconds = intervalMilliseconds
    frames = 0
    framesDegraded = 0
    framesDropped = 0
    computeMilliseconds = 0
    waitMilliseconds = 0
    sendMilliseconds = 0
    receiveMilliseconds = 0
    sentBytes = 0
    receivedBytes = 0
    fills = [:]
    drops = [:]
    stages = []
  }

  /// The most bytes of its payload: 512 stages.
  package static let maximumBytes = 256 * 1024

  /// Checks the ranges.
  package func check() throws(MartletError) {
    try checkInterval()
    for (value, name) in [
      (frames, "frames"), (framesDegraded, "frames_degraded"), (framesDropped, "frames_dropped"),
      (sentBytes, "sent_bytes"), (receivedBytes, "received_bytes"),
    ] {
      try Field.number(value, name)
    }
    for (value, name) in [
      (computeMilliseconds, "compute_ms"), (waitMilliseconds, "wait_ms"),
      (sendMilliseconds, "send_ms"), (receiveMilliseconds, "receive_ms"),
    ] {
      try Field.measure(value, name)
    }
    try Field.reasons(fills, "fills")
    try Field.reasons(drops, "drops")
    try Field.count(stages.count, "stages", atMost: 512)
    for stage in stages { try stage.check() }
  }

  enum CodingKeys: String, CodingKey {
    case epoch
    case sequence = "seq"
    case intervalMilliseconds = "interval_ms"
    case frames
    case framesDegraded = "frames_degraded"
    case framesDropped = "frames_dropped"
    case computeMilliseconds = "compute_ms"
    case waitMilliseconds = "wait_ms"
    case sendMilliseconds = "send_ms"
    case receiveMilliseconds = "receive_ms"
    case sentBytes = "sent_bytes"
    case receivedBytes = "received_bytes"
    case fills, drops, stages
  }
}

extension Field {
  /// Counts by reason: few, with short names.
  static func reasons(_ counts: [String: UInt64], _ field: String) throws(MartletError) {
    try count(counts.count, field, atMost: 64)
    for (reason, count) in counts {
      try text(reason, field, atMost: 32)
      try number(count, field)
    }
  }
}
