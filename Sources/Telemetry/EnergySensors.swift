import TensorFiles

/// Finds sensors under `/sys`. Which files there are and in which units is Linux's ABI
/// (`Documentation/ABI/testing/sysfs-class-powercap`, `-hwmon`, `-power`).
enum EnergySensors {
  static func find(_ source: EnergyMeter.Source, root: String) -> [EnergyChannel] {
    switch source {
    case .rapl: rapl(root + "/sys/class/powercap")
    case .ina3221: monitors(root)
    case .hwmon: hwmon(root + "/sys/class/hwmon") { $0 != "ina3221" }
    case .battery: batteries(root + "/sys/class/power_supply")
    case .estimate: []
    }
  }

  /// The packages and the memory controllers beside them: other zones are parts of a package. A
  /// counter that only root may read is left out.
  private static func rapl(_ folder: String) -> [EnergyChannel] {
    names(folder).compactMap { zone in
      let path = "\(folder)/\(zone)"
      guard zone.contains(":"), let name = sysfsText(path + "/name"),
        name.hasPrefix("package") || name == "dram"
      else { return nil }
      // The control type intel-rapl-mmio shows the same packages once more.
      guard !zone.hasPrefix("intel-rapl-mmio") else { return nil }
      let range = sysfsNumber(path + "/max_energy_range_uj")
      return working(
        EnergyChannel(
          name: "\(zone) \(name)", kind: .counter(scale: 1e-6, range: range),
          paths: [path + "/energy_uj"]))
    }
  }

  /// Energy counters where a chip has them, else its power readings.
  private static func hwmon(_ folder: String, chips: (String) -> Bool) -> [EnergyChannel] {
    names(folder).flatMap { device -> [EnergyChannel] in
      let path = "\(folder)/\(device)"
      guard let chip = sysfsText(path + "/name"), chips(chip) else { return [] }
      let files = names(path)
      let energy = files.filter { isInput($0, "energy") }.compactMap { file in
        working(
          EnergyChannel(
            name: "\(chip) \(label(path, file))", kind: .counter(scale: 1e-6, range: nil),
            paths: ["\(path)/\(file)"]))
      }
      if !energy.isEmpty { return energy }
      return files.filter { isInput($0, "power") }.compactMap { file in
        working(
          EnergyChannel(
            name: "\(chip) \(label(path, file))", kind: .power(scale: 1e-6),
            paths: ["\(path)/\(file)"]))
      }
    }
  }

  /// INA3221 in hwmon gives millivolts and milliamperes for each rail; the older iio driver of
  /// Jetson boards gives milliwatts.
  private static func monitors(_ root: String) -> [EnergyChannel] {
    let folder = root + "/sys/class/hwmon"
    var rails: [EnergyChannel] = []
    for device in names(folder) where sysfsText("\(folder)/\(device)/name") == "ina3221" {
      let path = "\(folder)/\(device)"
      for rail in 1...3 {
        guard let name = sysfsText("\(path)/in\(rail)_label") else { continue }
        let channel = EnergyChannel(
          name: "ina3221 \(name)", kind: .power(scale: 1e-6),
          paths: ["\(path)/in\(rail)_input", "\(path)/curr\(rail)_input"])
        if let channel = working(channel) { rails.append(channel) }
      }
    }
    if rails.isEmpty {
      let bus = root + "/sys/bus/i2c/drivers/ina3221x"
      for device in names(bus) {
        for inner in names("\(bus)/\(device)") where inner.hasPrefix("iio:device") {
          let path = "\(bus)/\(device)/\(inner)"
          for rail in 0...2 {
            guard let name = sysfsText("\(path)/rail_name_\(rail)") else { continue }
            let channel = EnergyChannel(
              name: "ina3221 \(name)", kind: .power(scale: 1e-3),
              paths: ["\(path)/in_power\(rail)_input"])
            if let channel = working(channel) { rails.append(channel) }
          }
        }
      }
    }
    // The input rail of the board already contains the others.
    let whole = rails.filter { $0.name.hasSuffix("_IN") }
    return whole.isEmpty ? rails : whole
  }

  private static func batteries(_ folder: String) -> [EnergyChannel] {
    names(folder).compactMap { device in
      let path = "\(folder)/\(device)"
      guard sysfsText(path + "/type") == "Battery" else { return nil }
      let condition = (path: path + "/status", word: "Discharging")
      let power = EnergyChannel(
        name: device, kind: .power(scale: 1e-6), paths: [path + "/power_now"], condition: condition)
      let product = EnergyChannel(
        name: device, kind: .power(scale: 1e-12),
        paths: [path + "/voltage_now", path + "/current_now"], condition: condition)
      return sysfsNumber(path + "/power_now") != nil ? working(power) : working(product)
    }
  }

  private static func working(_ channel: EnergyChannel) -> EnergyChannel? {
    channel.paths.allSatisfy { sysfsNumber($0) != nil } && channel.reading() != nil ? channel : nil
  }

  /// `energy1_input` and the like.
  private static func isInput(_ file: String, _ quantity: String) -> Bool {
    file.hasPrefix(quantity) && file.hasSuffix("_input")
  }

  private static func label(_ path: String, _ file: String) -> String {
    let stem = file.dropLast("_input".count)
    return sysfsText("\(path)/\(stem)_label") ?? String(stem)
  }

  /// Everything in `/sys/class` is a link, which `FileSystem.list` does not follow; so the names
  /// come from the folder alone.
  private static func names(_ folder: String) -> [String] {
    ((try? FileSystem.names(in: folder)) ?? []).sorted()
  }
}
