package import Foundations

/// A device's processor. Topic `metric/<device>/system`.
package struct SystemMetric: MetricMessage, Equatable {
  /// The last level of its topic.
  package static let kind = MetricKind.system
  /// The run of the device that this belongs to.
  package var epoch: UInt64
  /// Counts the device's messages of this kind.
  package var sequence: UInt64
  /// Time since the message before.
  package var intervalMilliseconds: Double
  /// CPU time of the worker in the interval, all threads together.
  package var cpuMilliseconds: Double
  /// The hottest thermal zone; nil where the machine has none that can be read.
  package var temperatureCelsius: Double?
  /// The fastest core's clock; nil where it cannot be read.
  package var clockMegahertz: Double?

  /// Makes a message.
  package init(
    epoch: UInt64, sequence: UInt64, intervalMilliseconds: Double, cpuMilliseconds: Double,
    temperatureCelsius: Double?, clockMegahertz: Double?
  ) {
    self.epoch = epoch
    self.sequence = sequence
    self.intervalMilliseconds = intervalMilliseconds
    self.cpuMilliseconds = cpuMilliseconds
    self.temperatureCelsius = temperatureCelsius
    self.clockMegahertz = clockMegahertz
  }

  /// The most bytes of its payload.
  package static let maximumBytes = 4096

  /// Checks the ranges.
  package func check() throws(MartletError) {
    try checkInterval()
    try Field.measure(cpuMilliseconds, "cpu_ms")
    if let temperatureCelsius {
      try Field.require(
        (-273.15...1000).contains(temperatureCelsius), "temperature_celsius",
        "\(temperatureCelsius)")
    }
    if let clockMegahertz { try Field.measure(clockMegahertz, "clock_mhz") }
  }

  enum CodingKeys: String, CodingKey {
    case epoch
    case sequence = "seq"
    case intervalMilliseconds = "interval_ms"
    case cpuMilliseconds = "cpu_ms"
    case temperatureCelsius = "temperature_celsius"
    case clockMegahertz = "clock_mhz"
  }
}
