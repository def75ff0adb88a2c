public import TensorCore

/// A device's memory. Topic `metric/<device>/memory`.
public struct MemoryMetric: MetricMessage, Equatable {
  /// The last level of its topic.
  public static let kind = MetricKind.memory
  /// The run of the device that this belongs to.
  public var epoch: UInt64
  /// Counts the device's messages of this kind.
  public var sequence: UInt64
  /// Time since the message before.
  public var intervalMilliseconds: Double
  /// Resident memory of the worker now.
  public var residentBytes: Int
  /// The most resident memory so far in this run.
  public var peakResidentBytes: Int
  /// Weights, as the kernels hold them.
  public var weightBytes: Int
  /// Working memory of one frame.
  public var arenaBytes: Int
  /// Messages that wait to be worked on or sent, and parts of frames that have not begun.
  public var queueBytes: Int

  /// Makes a message.
  public init(
    epoch: UInt64, sequence: UInt64, intervalMilliseconds: Double, residentBytes: Int,
    peakResidentBytes: Int, weightBytes: Int, arenaBytes: Int, queueBytes: Int
  ) {
    self.epoch = epoch
    self.sequence = sequence
    self.intervalMilliseconds = intervalMilliseconds
    self.residentBytes = residentBytes
    self.peakResidentBytes = peakResidentBytes
    self.weightBytes = weightBytes
    self.arenaBytes = arenaBytes
    self.queueBytes = queueBytes
  }

  /// The most bytes of its payload.
  public static let maximumBytes = 4096

  /// Checks the ranges.
  public func check() throws(MartletError) {
    try checkInterval()
    for (value, name) in [
      (residentBytes, "resident_bytes"), (peakResidentBytes, "peak_resident_bytes"),
      (weightBytes, "weight_bytes"), (arenaBytes, "arena_bytes"), (queueBytes, "queue_bytes"),
    ] {
      try Field.count(value, name, atMost: 1 << 50)
    }
  }

  enum CodingKeys: String, CodingKey {
    case epoch
    case sequence = "seq"
    case intervalMilliseconds = "interval_ms"
    case residentBytes = "resident_bytes"
    case peakResidentBytes = "peak_resident_bytes"
    case weightBytes = "weight_bytes"
    case arenaBytes = "arena_bytes"
    case queueBytes = "queue_bytes"
  }
}
