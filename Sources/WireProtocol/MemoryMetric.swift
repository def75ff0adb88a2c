package import Foundations

/// A device's memory. Topic `metric/<device>/memory`.
package struct MemoryMetric: MetricMessage, Equatable {
  /// The last level of its topic.
  package static let kind = MetricKind.memory
  /// The run of the device that this belongs to.
  package var epoch: UInt64
  /// Counts the device's messages of this kind.
  package var sequence: UInt64
  /// Time since the message before.
  package var intervalMilliseconds: Double
  /// Resident memory of the worker now.
  package var residentBytes: Int
  /// The most resident memory so far in this run.
  package var peakResidentBytes: Int
  /// Weights, as the kernels hold them.
  package var weightBytes: Int
  /// Working memory of one frame.
  package var arenaBytes: Int
  /// Messages that wait to be worked on or sent, and parts of frames that have not begun.
  package var queueBytes: Int

  /// Makes a message.
  package init(
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
  package static let maximumBytes = 4096

  /// Checks the ranges.
  package func check() throws(MartletError) {
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
