public import TensorCore

/// A device's processor. Topic `metric/<device>/system`.
public struct SystemMetric: MetricMessage, Equatable {
  /// The last level of its topic.
  public static let kind = MetricKind.system
  /// The run of the device that this belongs to.
  public var epoch: UInt64
  /// Counts the device's messages of this kind.
  public var sequence: UInt64
  /// Time since the message before.
  public var intervalMilliseconds: Double
  /// CPU time of the worker in the interval, all threads together.
  public var cpuMilliseconds: Double
  /// The hottest thermal zone; nil where the machine has none that can be read.
  public var temperatureCelsius: Double?
  /// The fastest core's clock; nil where it cannot be read.
  public var clockMegahertz: Double?

  /// Makes a message.
  public init(
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
  public static let maximumBytes = 4096

  /// Checks the ranges.
  public func check() throws(MartletError) {
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
