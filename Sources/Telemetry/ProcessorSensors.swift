import TensorFiles

/// The processor's temperature and clock, where the kernel shows them
/// (`Documentation/ABI/testing/sysfs-class-thermal`, `-devices-system-cpu`).
package struct ProcessorSensors: Sendable {
  private let temperatures: [String]
  private let clocks: [String]

  /// Finds the files of a machine.
  ///
  /// - Parameter root: stands before `/sys`; empty for the real one.
  package init(root: String = "") {
    let thermal = root + "/sys/class/thermal"
    temperatures = ProcessorSensors.names(thermal, prefix: "thermal_zone").map {
      "\(thermal)/\($0)/temp"
    }
    let cores = root + "/sys/devices/system/cpu"
    clocks = ProcessorSensors.names(cores, prefix: "cpu").map {
      "\(cores)/\($0)/cpufreq/scaling_cur_freq"
    }.filter { sysfsNumber($0) != nil }
  }

  /// Degrees of the hottest zone; nil where none can be read. Zones that are switched off show
  /// absurd values, which are passed over.
  package var temperatureCelsius: Double? {
    temperatures.compactMap(sysfsNumber).map { $0 / 1000 }.filter { (-50...200).contains($0) }.max()
  }

  /// The clock of the fastest core in MHz; nil where it cannot be read.
  package var clockMegahertz: Double? {
    clocks.compactMap(sysfsNumber).map { $0 / 1000 }.filter { (1...100_000).contains($0) }.max()
  }

  private static func names(_ folder: String, prefix: String) -> [String] {
    ((try? FileSystem.names(in: folder)) ?? []).filter { name in
      name.hasPrefix(prefix) && name.dropFirst(prefix.count).allSatisfy(\.isNumber)
        && name != prefix
    }.sorted()
  }
}
