package import Foundations

/// A device's energy. Topic `metric/<device>/energy`.
package struct EnergyMetric: MetricMessage, Equatable {
  /// The last level of its topic.
  package static let kind = MetricKind.energy
  /// The run of the device that this belongs to.
  package var epoch: UInt64
  /// Counts the device's messages of this kind.
  package var sequence: UInt64
  /// Time since the message before.
  package var intervalMilliseconds: Double
  /// What was read: `rapl`, `ina3221`, `hwmon`, `battery`, or `estimate` for no measurement at all.
  package var source: String
  /// Energy in the interval.
  package var joules: Double
  /// Mean power over the interval.
  package var watts: Double
  /// Frames computed to the end in the interval: what the energy was spent on.
  package var frames: UInt64
  /// Readings that failed or were absurd in the interval; what they missed is not in `joules`.
  package var failedReadings: UInt64

  /// Makes a message.
  package init(
    epoch: UInt64, sequence: UInt64, intervalMilliseconds: Double, source: String, joules: Double,
    watts: Double, frames: UInt64, failedReadings: UInt64 = 0
  ) {
    self.epoch = epoch
    self.sequence = sequence
    self.intervalMilliseconds = intervalMilliseconds
    self.source = source
    self.joules = joules
    self.watts = watts
    self.frames = frames
    self.failedReadings = failedReadings
  }

  /// Whether the figures are computed from CPU time and configured watts rather than measured.
  package var isEstimate: Bool { source == "estimate" }

  /// The most bytes of its payload.
  package static let maximumBytes = 4096

  /// Checks the ranges.
  package func check() throws(MartletError) {
    try checkInterval()
    try Field.text(source, "source", atMost: 32)
    try Field.measure(joules, "joules")
    try Field.measure(watts, "watts")
    try Field.number(frames, "frames")
    try Field.number(failedReadings, "failed_readings")
  }

  enum CodingKeys: String, CodingKey {
    case epoch
    case sequence = "seq"
    case intervalMilliseconds = "interval_ms"
    case source, joules, watts, frames
    case failedReadings = "failed_readings"
  }
}
