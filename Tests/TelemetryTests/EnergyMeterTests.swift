import Foundations
import Processes
import Telemetry
import TensorFiles
import Testing

/// A folder that looks like a machine's `/sys`.
private struct FakeTree {
  let root: String

  func set(_ path: String, _ text: String) throws {
    let full = root + "/sys/" + path
    try FileSystem.createFolder(FileSystem.folder(of: full))
    try FileSystem.write(Array((text + "\n").utf8), to: full)
  }
}

private func near(_ left: Double?, _ right: Double) -> Bool {
  left.map { abs($0 - right) <= 1e-9 * max(1, abs(right)) } ?? false
}

@Suite struct EnergyMeterTests {
  @Test func raplCountersWrapAndPackagesAddUp() throws {
    try TemporaryFolder.with { root in
      let tree = FakeTree(root: root)
      let rapl = "class/powercap/intel-rapl"
      for (zone, name) in [
        (":0", "package-0"), (":0:0", "core"), (":0:1", "dram"), (":1", "package-1"),
        ("-mmio:0", "package-0"),
      ] {
        try tree.set(rapl + zone + "/name", name)
        try tree.set(rapl + zone + "/max_energy_range_uj", "1000000000")
        try tree.set(rapl + zone + "/energy_uj", "999000000")
      }
      var meter = EnergyMeter(root: root)
      #expect(meter.source == .rapl)
      #expect(
        meter.sensorNames == [
          "intel-rapl:0 package-0", "intel-rapl:0:1 dram", "intel-rapl:1 package-1",
        ])
      meter.sample(now: 10)
      #expect(meter.joules == 0 && meter.watts == nil)
      try tree.set(rapl + ":0/energy_uj", "999500000")
      try tree.set(rapl + ":0:0/energy_uj", "5")
      // Wrapped: 1 J to the end of the range and 2 J beyond.
      try tree.set(rapl + ":1/energy_uj", "2000000")
      meter.sample(now: 12)
      #expect(near(meter.joules, 3.5))
      #expect(near(meter.watts, 1.75))
    }
  }

  @Test func powerIsIntegratedByTrapezoids() throws {
    try TemporaryFolder.with { root in
      let tree = FakeTree(root: root)
      try tree.set("class/hwmon/hwmon0/name", "coretemp")
      try tree.set("class/hwmon/hwmon0/temp1_input", "40000")
      try tree.set("class/hwmon/hwmon1/name", "ina219")
      try tree.set("class/hwmon/hwmon1/power1_label", "board")
      try tree.set("class/hwmon/hwmon1/power1_input", "2000000")
      var meter = EnergyMeter(root: root)
      #expect(meter.source == .hwmon && meter.sensorNames == ["ina219 board"])
      meter.sample(now: 0)
      try tree.set("class/hwmon/hwmon1/power1_input", "4000000")
      meter.sample(now: 10)
      #expect(near(meter.joules, 30))
      // A clock that stands still adds nothing, and an unreadable sensor is counted.
      meter.sample(now: 10)
      #expect(near(meter.joules, 30))
      try tree.set("class/hwmon/hwmon1/power1_input", "garbage")
      meter.sample(now: 20)
      #expect(near(meter.joules, 30) && meter.failedReadings == 1)
      try tree.set("class/hwmon/hwmon1/power1_input", "1000000")
      meter.sample(now: 30)
      meter.sample(now: 31)
      #expect(near(meter.joules, 31))
    }
  }

  @Test func energyCountersWinOverPowerReadings() throws {
    try TemporaryFolder.with { root in
      let tree = FakeTree(root: root)
      try tree.set("class/hwmon/hwmon0/name", "amd_energy")
      try tree.set("class/hwmon/hwmon0/energy1_label", "Esocket0")
      try tree.set("class/hwmon/hwmon0/energy1_input", "1000000")
      try tree.set("class/hwmon/hwmon0/power1_input", "7000000")
      var meter = EnergyMeter(root: root)
      #expect(meter.sensorNames == ["amd_energy Esocket0"])
      meter.sample(now: 0)
      try tree.set("class/hwmon/hwmon0/energy1_input", "3000000")
      meter.sample(now: 1)
      #expect(near(meter.joules, 2))
    }
  }

  @Test func ina3221InBothLayouts() throws {
    try TemporaryFolder.with { root in
      let tree = FakeTree(root: root)
      let chip = "class/hwmon/hwmon3/"
      try tree.set(chip + "name", "ina3221")
      for (rail, name) in [(1, "VDD_IN"), (2, "VDD_CPU_GPU_CV"), (3, "VDD_SOC")] {
        try tree.set(chip + "in\(rail)_label", name)
        try tree.set(chip + "in\(rail)_input", "5000")
        try tree.set(chip + "curr\(rail)_input", "\(1000 / rail)")
      }
      var meter = EnergyMeter(root: root)
      #expect(meter.source == .ina3221 && meter.sensorNames == ["ina3221 VDD_IN"])
      meter.sample(now: 0)
      meter.sample(now: 2)
      #expect(near(meter.joules, 10))
    }
    try TemporaryFolder.with { root in
      let tree = FakeTree(root: root)
      let chip = "bus/i2c/drivers/ina3221x/1-0040/iio:device0/"
      try tree.set(chip + "rail_name_0", "VDD_GPU")
      try tree.set(chip + "in_power0_input", "1500")
      try tree.set(chip + "rail_name_1", "VDD_CPU")
      try tree.set(chip + "in_power1_input", "500")
      var meter = EnergyMeter(root: root)
      #expect(meter.source == .ina3221 && meter.sensorNames.count == 2)
      meter.sample(now: 0)
      meter.sample(now: 3)
      #expect(near(meter.joules, 6))
    }
  }

  @Test func aBatteryCountsWhileItDischarges() throws {
    try TemporaryFolder.with { root in
      let tree = FakeTree(root: root)
      let battery = "class/power_supply/BAT0/"
      try tree.set("class/power_supply/AC/type", "Mains")
      try tree.set(battery + "type", "Battery")
      try tree.set(battery + "status", "Discharging")
      try tree.set(battery + "voltage_now", "12000000")
      try tree.set(battery + "current_now", "-500000")
      var meter = EnergyMeter(root: root)
      #expect(meter.source == .battery && meter.sensorNames == ["BAT0"])
      meter.sample(now: 0)
      meter.sample(now: 1)
      #expect(near(meter.joules, 6))
      try tree.set(battery + "status", "Charging")
      meter.sample(now: 2)
      meter.sample(now: 3)
      #expect(near(meter.joules, 9))
    }
  }

  @Test func withoutSensorsTheFigureIsAnEstimate() throws {
    try TemporaryFolder.with { root in
      let tree = FakeTree(root: root)
      try tree.set("class/powercap/intel-rapl:0/name", "package-0")
      try tree.set("class/powercap/intel-rapl:0/energy_uj", "")
      var meter = EnergyMeter(root: root, assumption: .init(wattsPerBusyCore: 2, idleWatts: 3))
      #expect(meter.source == .estimate && meter.source.isEstimate)
      meter.sample(now: 100, cpuSeconds: 50)
      meter.sample(now: 110, cpuSeconds: 54)
      #expect(near(meter.joules, 38))
      #expect(near(meter.watts, 3.8))
      // Neither clock runs backwards.
      meter.sample(now: 105, cpuSeconds: 40)
      #expect(near(meter.joules, 38))
      meter.sample(now: 120, cpuSeconds: 54)
      #expect(near(meter.joules, 68))
    }
    // This machine, whatever it has.
    var meter = EnergyMeter()
    meter.sample(now: 0)
    meter.sample(now: 1)
    #expect(meter.joules >= 0 && !meter.sensorNames.isEmpty)
  }
}

/// What sensors say when they should not be believed.
@Suite struct AbsurdSensorTests {
  @Test func absurdPowerAndCountersAreFailedReadings() throws {
    try TemporaryFolder.with { root in
      let tree = FakeTree(root: root)
      try tree.set("class/hwmon/hwmon0/name", "ina219")
      try tree.set("class/hwmon/hwmon0/power1_input", "2000000")
      var meter = EnergyMeter(root: root)
      meter.sample(now: 0)
      meter.sample(now: 1)
      #expect(near(meter.joules, 2))
      for text in ["99999999999999", "nan", "inf", "", "12 W", "1e400"] {
        try tree.set("class/hwmon/hwmon0/power1_input", text)
        let before = meter.failedReadings
        meter.sample(now: 2)
        #expect(meter.failedReadings == before + 1, "\(text)")
      }
      try tree.set("class/hwmon/hwmon0/power1_input", "2000000")
      // The first good reading after bad ones begins a new interval.
      meter.sample(now: 10)
      meter.sample(now: 11)
      #expect(near(meter.joules, 4))
      try FileSystem.remove(root + "/sys/class/hwmon/hwmon0/power1_input")
      meter.sample(now: 12)
      #expect(near(meter.joules, 4))
    }
    try TemporaryFolder.with { root in
      let tree = FakeTree(root: root)
      try tree.set("class/hwmon/hwmon0/name", "counter")
      try tree.set("class/hwmon/hwmon0/energy1_input", "1000000")
      var meter = EnergyMeter(root: root)
      meter.sample(now: 0)
      // A counter cannot have made a megajoule in a second.
      try tree.set("class/hwmon/hwmon0/energy1_input", "1000000000000")
      meter.sample(now: 1)
      #expect(meter.joules == 0 && meter.failedReadings == 1)
      // A counter of unknown range that went back was reset.
      try tree.set("class/hwmon/hwmon0/energy1_input", "500000")
      meter.sample(now: 2)
      #expect(near(meter.joules, 0.5))
    }
  }

  @Test func railsAndPackagesThatAreIncompleteAreLeftOut() throws {
    try TemporaryFolder.with { root in
      let tree = FakeTree(root: root)
      let chip = "class/hwmon/hwmon3/"
      try tree.set(chip + "name", "ina3221")
      // No label, no current, no number.
      try tree.set(chip + "in1_input", "5000")
      try tree.set(chip + "in2_label", "VDD_CPU")
      try tree.set(chip + "in2_input", "5000")
      try tree.set(chip + "in3_label", "VDD_SOC")
      try tree.set(chip + "in3_input", "garbage")
      try tree.set(chip + "curr3_input", "100")
      try tree.set("class/powercap/intel-rapl:0/energy_uj", "17")
      #expect(EnergyMeter(root: root).source == .estimate)
    }
  }

  @Test func aSourceThatIsAskedForMustBeThere() throws {
    try TemporaryFolder.with { root in
      let tree = FakeTree(root: root)
      try tree.set("class/hwmon/hwmon0/name", "ina219")
      try tree.set("class/hwmon/hwmon0/power1_input", "2000000")
      #expect(try EnergyMeter(source: .hwmon, root: root).source == .hwmon)
      #expect(try EnergyMeter(source: .estimate, root: root).source == .estimate)
      #expect(throws: MartletError.self) { try EnergyMeter(source: .rapl, root: root) }
    }
  }

  @Test func theSamplerIntegratesWhileNobodyAsks() throws {
    try TemporaryFolder.with { root in
      let tree = FakeTree(root: root)
      try tree.set("class/hwmon/hwmon0/name", "ina219")
      try tree.set("class/hwmon/hwmon0/power1_input", "5000000")
      let start = MonotonicTime.now()
      let sampler = EnergySampler(EnergyMeter(root: root), every: .milliseconds(5))
      // Long enough for samples; how many does not matter, the power is constant.
      while MonotonicTime.now().nanoseconds(since: start) < 60_000_000 { _ = sampler.read() }
      let reading = sampler.read()
      let seconds = Double(MonotonicTime.now().nanoseconds(since: start)) / 1e9
      #expect(reading.source == .hwmon && reading.failedReadings == 0)
      #expect(reading.joules > 0.2 && reading.joules <= 5 * seconds)
    }
  }

  @Test func temperatureAndClock() throws {
    try TemporaryFolder.with { root in
      #expect(ProcessorSensors(root: root).temperatureCelsius == nil)
      let tree = FakeTree(root: root)
      try tree.set("class/thermal/thermal_zone0/temp", "48500")
      try tree.set("class/thermal/thermal_zone1/temp", "-274000")
      try tree.set("class/thermal/thermal_zone2/temp", "broken")
      try tree.set("class/thermal/cooling_device0/temp", "99000")
      try tree.set("devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "1200000")
      try tree.set("devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "1500000")
      try tree.set("devices/system/cpu/cpufreq/scaling_cur_freq", "9000000")
      let sensors = ProcessorSensors(root: root)
      #expect(sensors.temperatureCelsius == 48.5)
      #expect(sensors.clockMegahertz == 1500)
    }
  }
}
