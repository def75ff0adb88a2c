import WireProtocol

// From `EnergyMetric` to a report: sums, the member of the JSON report, the list of figures.

/// What metrics of a device's energy add up to.
struct EnergyTotals: Sendable, Equatable {
  private var joules = 0.0
  private var intervals = 0
  /// The part of `joules` in intervals with frames in them.
  private var activeJoules = 0.0
  private var activeMilliseconds = 0.0
  private var activeFrames: UInt64 = 0
  /// Intervals with frames in them.
  private(set) var activeIntervals = 0
  private var maximumWatts = 0.0
  private var failedReadings: UInt64 = 0
  private var sources: Set<String> = []

  mutating func add(_ metric: EnergyMetric) {
    joules += metric.joules
    intervals += 1
    if metric.frames > 0 {
      activeJoules += metric.joules
      activeMilliseconds += metric.intervalMilliseconds
      activeFrames.saturate(adding: metric.frames)
      activeIntervals += 1
    }
    maximumWatts = max(maximumWatts, metric.watts)
    failedReadings.saturate(adding: metric.failedReadings)
    if sources.count < 8 { sources.insert(metric.source) }
  }

  /// Adds what other messages of the device came to.
  mutating func merge(_ other: EnergyTotals) {
    joules += other.joules
    intervals += other.intervals
    activeJoules += other.activeJoules
    activeMilliseconds += other.activeMilliseconds
    activeFrames.saturate(adding: other.activeFrames)
    activeIntervals += other.activeIntervals
    maximumWatts = max(maximumWatts, other.maximumWatts)
    failedReadings.saturate(adding: other.failedReadings)
    sources.formUnion(other.sources)
  }

  /// Nil without messages.
  var figures: FlightReport.Energy? {
    guard intervals > 0 else { return nil }
    return FlightReport.Energy(
      joules: joules, joulesPerImage: activeFrames > 0 ? activeJoules / Double(activeFrames) : nil,
      activeWatts: activeMilliseconds > 0 ? activeJoules / activeMilliseconds * 1e3 : nil,
      maximumWatts: maximumWatts, sources: sources.sorted(), intervals: intervals,
      failedReadings: failedReadings)
  }
}

extension FlightReport {
  /// Energy of one device.
  package struct Energy: Codable, Sendable, Equatable {
    /// The sum over all intervals.
    package var joules: Double
    /// Of the intervals with frames in them: joules by frames.
    package var joulesPerImage: Double?
    /// Of the intervals with frames in them: joules by seconds.
    package var activeWatts: Double?
    /// The largest mean power of an interval.
    package var maximumWatts: Double
    /// Where the figures come from; `estimate` is no measurement.
    package var sources: [String]
    /// Intervals.
    package var intervals: Int
    /// Readings that failed; what they missed is not counted.
    package var failedReadings: UInt64

    /// Whether any of it is an estimate.
    package var isEstimated: Bool { sources.contains("estimate") }

    enum CodingKeys: String, CodingKey {
      case joules
      case joulesPerImage = "joules_per_image"
      case activeWatts = "active_watts"
      case maximumWatts = "max_watts"
      case sources, intervals
      case failedReadings = "failed_readings"
    }
  }
}

extension Figure where Subject == FlightReport.DeviceFigures {
  /// Of a device's energy.
  static var energy: [Figure] {
    [
      Figure(
        "energy", .joules, "energy.joules", column: .init(.resources, "joules"),
        export: .counter(
          "energy_joules",
          "Energy that devices said they used; the source estimate is no measurement.",
          labels: { ["source": $0.energy?.sources.joined(separator: "+") ?? ""] })
      ) { $0.energy?.joules },
      Figure("energy_is_estimated", .one, nil) {
        $0.energy.map { $0.isEstimated ? 1 : 0 }
      },
      Figure(
        "energy_per_image", .joules, "energy.joules_per_image",
        column: .init(.work, "mJ/image", .thousandths) {
          $0.energy?.isEstimated == true ? "~" : ""
        },
        export: .gauge("energy_joules_per_image", "Energy for one frame.")
      ) { $0.energy?.joulesPerImage },
      Figure(
        "power", .watts, "energy.active_watts", column: .init(.work, "watts"),
        export: .gauge("power_watts", "Mean power while there are frames.")
      ) { $0.energy?.activeWatts },
      Figure("max_power", .watts, "energy.max_watts", column: .init(.resources, "max W")) {
        $0.energy?.maximumWatts
      },
    ]
  }
}
