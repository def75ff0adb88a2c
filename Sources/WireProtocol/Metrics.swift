public import TensorCore

/// A device's memory. Topic `metric/<device>/memory`.
public struct MemoryMetric: WireMessage, Equatable {
  /// The run of the device that this belongs to.
  public var epoch: UInt64
  /// Counts the device's messages of this kind.
  public var sequence: UInt64
  /// Resident memory now.
  public var residentBytes: Int
  /// The most resident memory so far.
  public var peakResidentBytes: Int
  /// Weights, as the kernels hold them.
  public var weightBytes: Int
  /// Working memory of one frame.
  public var arenaBytes: Int

  /// Makes a message.
  public init(
    epoch: UInt64, sequence: UInt64, residentBytes: Int, peakResidentBytes: Int, weightBytes: Int,
    arenaBytes: Int
  ) {
    self.epoch = epoch
    self.sequence = sequence
    self.residentBytes = residentBytes
    self.peakResidentBytes = peakResidentBytes
    self.weightBytes = weightBytes
    self.arenaBytes = arenaBytes
  }

  /// The most bytes of its payload.
  public static let maximumBytes = 4096

  /// Checks the ranges.
  public func check() throws(MartletError) {
    try Field.number(epoch, "epoch")
    try Field.number(sequence, "seq")
    try Field.count(residentBytes, "resident_bytes", atMost: 1 << 50)
    try Field.count(peakResidentBytes, "peak_resident_bytes", atMost: 1 << 50)
    try Field.count(weightBytes, "weight_bytes", atMost: 1 << 50)
    try Field.count(arenaBytes, "arena_bytes", atMost: 1 << 50)
  }

  enum CodingKeys: String, CodingKey {
    case epoch
    case sequence = "seq"
    case residentBytes = "resident_bytes"
    case peakResidentBytes = "peak_resident_bytes"
    case weightBytes = "weight_bytes"
    case arenaBytes = "arena_bytes"
  }
}

/// A device's energy. Topic `metric/<device>/energy`.
public struct EnergyMetric: WireMessage, Equatable {
  /// The run of the device that this belongs to.
  public var epoch: UInt64
  /// Counts the device's messages of this kind.
  public var sequence: UInt64
  /// What was read: `rapl`, `ina3221`, `hwmon`, `battery`, or `estimate` for no measurement at all.
  public var source: String
  /// Energy in the interval.
  public var joules: Double
  /// Mean power over the interval.
  public var watts: Double
  /// The length of the interval.
  public var intervalMilliseconds: Double

  /// Makes a message.
  public init(
    epoch: UInt64, sequence: UInt64, source: String, joules: Double, watts: Double,
    intervalMilliseconds: Double
  ) {
    self.epoch = epoch
    self.sequence = sequence
    self.source = source
    self.joules = joules
    self.watts = watts
    self.intervalMilliseconds = intervalMilliseconds
  }

  /// The most bytes of its payload.
  public static let maximumBytes = 4096

  /// Checks the ranges.
  public func check() throws(MartletError) {
    try Field.number(epoch, "epoch")
    try Field.number(sequence, "seq")
    try Field.text(source, "source", atMost: 32)
    for (value, name) in [
      (joules, "joules"), (watts, "watts"), (intervalMilliseconds, "interval_ms"),
    ] {
      try Field.require(value >= 0 && value < 1e12, name, "\(value)")
    }
  }

  enum CodingKeys: String, CodingKey {
    case epoch, source, joules, watts
    case sequence = "seq"
    case intervalMilliseconds = "interval_ms"
  }
}

/// A device's work. Topic `metric/<device>/frame`. Totals since the device started.
public struct FrameMetric: WireMessage, Equatable {
  /// The run of the device that this belongs to.
  public var epoch: UInt64
  /// Counts the device's messages of this kind.
  public var sequence: UInt64
  /// Frames computed to the end.
  public var frames: UInt64
  /// Frames dropped whole because the device fell behind.
  public var framesDropped: UInt64
  /// Time spent computing.
  public var computeMilliseconds: Double
  /// Time spent waiting for others' parts.
  public var waitMilliseconds: Double
  /// Bytes of parts published.
  public var sentBytes: UInt64
  /// Parts filled because they were missing, by reason.
  public var fills: [String: UInt64]
  /// Messages not used, by reason.
  public var drops: [String: UInt64]

  /// Makes a message.
  public init(
    epoch: UInt64, sequence: UInt64, frames: UInt64, framesDropped: UInt64,
    computeMilliseconds: Double, waitMilliseconds: Double, sentBytes: UInt64,
    fills: [String: UInt64], drops: [String: UInt64]
  ) {
    self.epoch = epoch
    self.sequence = sequence
    self.frames = frames
    self.framesDropped = framesDropped
    self.computeMilliseconds = computeMilliseconds
    self.waitMilliseconds = waitMilliseconds
    self.sentBytes = sentBytes
    self.fills = fills
    self.drops = drops
  }

  /// The most bytes of its payload.
  public static let maximumBytes = 16384

  /// Checks the ranges.
  public func check() throws(MartletError) {
    for (value, name) in [
      (epoch, "epoch"), (sequence, "seq"), (frames, "frames"), (framesDropped, "frames_dropped"),
      (sentBytes, "sent_bytes"),
    ] {
      try Field.number(value, name)
    }
    try Field.count(fills.count, "fills", atMost: 64)
    try Field.count(drops.count, "drops", atMost: 64)
    for (value, name) in [(computeMilliseconds, "compute_ms"), (waitMilliseconds, "wait_ms")] {
      try Field.require(value >= 0 && value < 1e15, name, "\(value)")
    }
  }

  enum CodingKeys: String, CodingKey {
    case epoch, frames, fills, drops
    case sequence = "seq"
    case framesDropped = "frames_dropped"
    case computeMilliseconds = "compute_ms"
    case waitMilliseconds = "wait_ms"
    case sentBytes = "sent_bytes"
  }
}
