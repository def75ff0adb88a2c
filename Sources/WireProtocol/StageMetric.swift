import Foundations

/// One stage of a device's frames within a `FrameMetric`.
package struct StageMetric: Codable, Sendable, Equatable {
  /// Times of one sort of frames, added up.
  package struct Work: Codable, Sendable, Equatable {
    /// How many frames.
    package var frames: UInt64
    /// Time spent computing.
    package var computeMilliseconds: Double
    /// Time spent encoding and publishing this device's part.
    package var sendMilliseconds: Double
    /// Time from there to the last part that was waited for.
    package var waitMilliseconds: Double

    /// Adds times up.
    package init(
      frames: UInt64 = 0, computeMilliseconds: Double = 0, sendMilliseconds: Double = 0,
      waitMilliseconds: Double = 0
    ) {
      self.frames = frames
      self.computeMilliseconds = computeMilliseconds
      self.sendMilliseconds = sendMilliseconds
      self.waitMilliseconds = waitMilliseconds
    }

    func check() throws(MartletError) {
      try Field.number(frames, "stages.frames")
      try Field.measure(computeMilliseconds, "stages.compute_ms")
      try Field.measure(sendMilliseconds, "stages.send_ms")
      try Field.measure(waitMilliseconds, "stages.wait_ms")
    }

    enum CodingKeys: String, CodingKey {
      case frames
      case computeMilliseconds = "compute_ms"
      case sendMilliseconds = "send_ms"
      case waitMilliseconds = "wait_ms"
    }
  }

  /// The topic id of the layer that is exchanged at the stage's end.
  package var layer: String
  /// Frames of which nothing was missing on this device.
  package var whole: Work?
  /// Frames of which a part was missing, here or in another stage.
  package var degraded: Work?
  /// Time spent decoding and placing others' parts of the layer.
  package var receiveMilliseconds: Double
  /// Bytes of this device's parts of the layer.
  package var sentBytes: UInt64
  /// Bytes of others' parts of the layer.
  package var receivedBytes: UInt64
  /// Parts of the layer filled because they were missing, by reason.
  package var fills: [String: UInt64]

  /// A stage in which nothing has happened.
  package init(layer: String) {
    self.layer = layer
    receiveMilliseconds = 0
    sentBytes = 0
    receivedBytes = 0
    fills = [:]
  }

  func check() throws(MartletError) {
    try Field.identifier(layer, "stages.layer")
    try whole?.check()
    try degraded?.check()
    try Field.measure(receiveMilliseconds, "stages.receive_ms")
    try Field.number(sentBytes, "stages.sent_bytes")
    try Field.number(receivedBytes, "stages.received_bytes")
    try Field.reasons(fills, "stages.fills")
  }

  enum CodingKeys: String, CodingKey {
    case layer, whole, degraded
    case receiveMilliseconds = "receive_ms"
    case sentBytes = "sent_bytes"
    case receivedBytes = "received_bytes"
    case fills
  }
}
