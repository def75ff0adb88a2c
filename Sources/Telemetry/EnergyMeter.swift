package import Foundations

/// The energy that a machine has used, from the best sensors that it has.
///
/// A value type without a clock: whoever owns it calls `sample` now and then with the time, often
/// enough that power changes little in between (and, for RAPL, that no counter wraps twice: once a
/// minute is plenty). Counters of energy are differenced, readings of power are integrated by the
/// trapezoid rule.
package struct EnergyMeter: Sendable {
  /// Where the figures come from.
  package enum Source: String, Sendable, Codable, CaseIterable {
    /// Intel's and AMD's package counters, through powercap.
    case rapl
    /// A power monitor on the board (INA3221 on Jetson boards), through hwmon or the older iio.
    case ina3221
    /// Any other sensor of power or energy under hwmon.
    case hwmon
    /// A discharging battery: the whole device.
    case battery
    /// No sensor: CPU time and wall-clock time times the configured watts.
    case estimate

    /// Whether the figures are computed from CPU time rather than measured.
    package var isEstimate: Bool { self == .estimate }
  }

  /// What the estimate assumes of the machine.
  package struct Assumption: Sendable, Equatable {
    /// Watts for each CPU core that is busy.
    package var wattsPerBusyCore: Double
    /// Watts when nothing runs.
    package var idleWatts: Double

    /// A Raspberry Pi 4: 2.7 W idle, about 1 W more for each busy core.
    package static let smallBoard = Assumption(wattsPerBusyCore: 1, idleWatts: 2.7)

    /// Makes an assumption.
    package init(wattsPerBusyCore: Double, idleWatts: Double) {
      self.wattsPerBusyCore = wattsPerBusyCore
      self.idleWatts = idleWatts
    }
  }

  /// Where the figures come from.
  package let source: Source
  /// The names of the sensors that are added up, for reports.
  package let sensorNames: [String]
  /// Joules since the first sample.
  package private(set) var joules = 0.0
  /// Watts between the last two samples; nil before there are two.
  package private(set) var watts: Double?
  /// How many sensor readings failed since the start; what they missed is not counted.
  package private(set) var failedReadings = 0

  private var channels: [EnergyChannel]
  private let assumption: Assumption
  private var last: (time: Double, cpuSeconds: Double)?

  /// Finds the sensors of a machine.
  ///
  /// - Parameters:
  ///   - root: stands before `/sys`; empty for the real one.
  ///   - assumption: for the case that there is no sensor.
  ///   - allowed: sources to look for, best first; `estimate` is always the last resort.
  package init(
    root: String = "", assumption: Assumption = .smallBoard,
    allowed: [Source] = [.rapl, .ina3221, .hwmon, .battery]
  ) {
    self.assumption = assumption
    for source in allowed {
      let found = EnergySensors.find(source, root: root)
      if !found.isEmpty {
        self.source = source
        channels = found
        sensorNames = found.map(\.name)
        return
      }
    }
    source = .estimate
    channels = []
    sensorNames = ["cpu time"]
  }

  /// Uses one source and no other.
  ///
  /// - Parameters:
  ///   - source: what to read; `estimate` reads nothing.
  ///   - root: stands before `/sys`; empty for the real one.
  ///   - assumption: what the estimate assumes.
  /// - Throws: `notFound` when the machine has no such sensor or does not let it be read.
  package init(
    source: Source, root: String = "", assumption: Assumption = .smallBoard
  ) throws(MartletError) {
    self.init(root: root, assumption: assumption, allowed: source.isEstimate ? [] : [source])
    guard self.source == source else {
      throw MartletError(
        .notFound, "this machine has no such energy sensor, or it may not be read",
        context: ["source": source.rawValue],
        hint: "RAPL counters need root or a udev rule; without a choice the best source is taken")
    }
  }

  /// Takes the energy since the previous sample into account.
  ///
  /// - Parameters:
  ///   - now: seconds on any monotonic clock.
  ///   - cpuSeconds: CPU time used so far by what the estimate shall cover (one process, or all);
  ///     only used without sensors.
  package mutating func sample(now: Double, cpuSeconds: Double) {
    var added = 0.0
    for index in channels.indices {
      guard let joules = channels[index].advance(to: now) else {
        failedReadings += 1
        continue
      }
      added += joules
    }
    if let last, now > last.time {
      if channels.isEmpty {
        let busy = max(0, cpuSeconds - last.cpuSeconds)
        added =
          busy * assumption.wattsPerBusyCore + (now - last.time) * assumption.idleWatts
      }
      joules += added
      watts = added / (now - last.time)
    }
    if last.map({ now > $0.time }) ?? true { last = (now, cpuSeconds) }
  }

  /// Takes the energy since the previous sample into account, with this process's CPU time.
  package mutating func sample(now: Double) {
    sample(now: now, cpuSeconds: channels.isEmpty ? ProcessTime.cpuSeconds() : 0)
  }
}
