import WireProtocol

// From `SystemMetric` to a report: sums, the members of the JSON report, the list of figures.

/// What metrics of a device's processor add up to.
struct SystemTotals: Sendable, Equatable {
  private var cpuMilliseconds = 0.0
  private var intervalMilliseconds = 0.0
  private var maximumCelsius: Double?
  private var minimumMegahertz: Double?

  mutating func add(_ metric: SystemMetric) {
    cpuMilliseconds += metric.cpuMilliseconds
    intervalMilliseconds += metric.intervalMilliseconds
    if let celsius = metric.temperatureCelsius {
      maximumCelsius = max(maximumCelsius ?? celsius, celsius)
    }
    if let clock = metric.clockMegahertz {
      minimumMegahertz = min(minimumMegahertz ?? clock, clock)
    }
  }

  /// Adds what other messages of the device came to.
  mutating func merge(_ other: SystemTotals) {
    cpuMilliseconds += other.cpuMilliseconds
    intervalMilliseconds += other.intervalMilliseconds
    maximumCelsius = [maximumCelsius, other.maximumCelsius].compactMap { $0 }.max()
    minimumMegahertz = [minimumMegahertz, other.minimumMegahertz].compactMap { $0 }.min()
  }

  var figures: FlightReport.System {
    FlightReport.System(
      cpuShare: intervalMilliseconds > 0 ? cpuMilliseconds / intervalMilliseconds : nil,
      maximumCelsius: maximumCelsius, minimumMegahertz: minimumMegahertz)
  }
}

extension FlightReport {
  /// The processor of one device; members of the device's figures in JSON.
  package struct System: Codable, Sendable, Equatable {
    /// CPU time as a share of one core.
    package var cpuShare: Double?
    /// The highest temperature.
    package var maximumCelsius: Double?
    /// The lowest clock.
    package var minimumMegahertz: Double?

    enum CodingKeys: String, CodingKey {
      case cpuShare = "cpu_share"
      case maximumCelsius = "max_temperature_celsius"
      case minimumMegahertz = "min_clock_mhz"
    }
  }
}

extension Figure where Subject == FlightReport.DeviceFigures {
  /// Of a device's processor.
  static var system: [Figure] {
    [
      Figure("cpu_share", .one, "cpu_share", column: .init(.resources, "CPU %", .percent)) {
        $0.system.cpuShare
      },
      Figure(
        "max_temperature", .celsius, "max_temperature_celsius", column: .init(.resources, "C")
      ) { $0.system.maximumCelsius },
      Figure("min_clock", .megahertz, "min_clock_mhz", column: .init(.resources, "MHz", .count)) {
        $0.system.minimumMegahertz
      },
    ]
  }
}
