import TensorFiles

/// One sensor: a counter of energy or a reading of power.
struct EnergyChannel: Sendable {
  enum Kind: Sendable {
    /// Joules per count; the counter restarts at 0 after `range` counts, if that is known.
    case counter(scale: Double, range: Double?)
    /// The product of one or two readings (power; or voltage and current) times this is watts.
    case power(scale: Double)
  }

  let name: String
  let kind: Kind
  /// The files that are read, relative to nothing.
  let paths: [String]
  /// A file that must hold this word for the reading to count (a battery that is discharging).
  var condition: (path: String, word: String)?
  private var last: (time: Double, value: Double)?

  init(
    name: String, kind: Kind, paths: [String], condition: (path: String, word: String)? = nil
  ) {
    self.name = name
    self.kind = kind
    self.paths = paths
    self.condition = condition
  }

  /// More power than any device of a deployment takes: a reading above it is not one.
  static let maximumWatts = 1e5

  /// Joules since the previous call: 0 at the first, nil if the sensor cannot be read or says what
  /// cannot be, after which the count starts anew.
  mutating func advance(to now: Double) -> Double? {
    guard let value = reading() else {
      last = nil
      return nil
    }
    if case .power = kind, value > EnergyChannel.maximumWatts {
      last = nil
      return nil
    }
    defer { last = (now, value) }
    guard let last, now > last.time else { return 0 }
    let joules: Double
    switch kind {
    case .counter(let scale, let range):
      var counts = value - last.value
      // A counter that went back has wrapped if its range is known, or else was reset.
      if counts < 0 { counts = range.map { max(0, counts + $0) } ?? value }
      joules = counts * scale
    case .power:
      joules = (value + last.value) / 2 * (now - last.time)
    }
    return joules <= EnergyChannel.maximumWatts * (now - last.time) ? joules : nil
  }

  /// The count, or the watts.
  func reading() -> Double? {
    if let condition, let status = sysfsText(condition.path), status != condition.word {
      return 0
    }
    var product = 1.0
    for path in paths {
      guard let value = sysfsNumber(path) else { return nil }
      // Batteries give the discharge current with either sign.
      product *= abs(value)
    }
    if case .power(let scale) = kind { product *= scale }
    return product
  }
}

/// The text of a small file without white space around it; nil if it cannot be read.
func sysfsText(_ path: String) -> String? {
  guard let bytes = try? FileSystem.read(path, limit: 4096) else { return nil }
  let text = bytes.drop { $0 <= 0x20 }
  let end: Int = text.lastIndex { $0 > 0x20 }.map { $0 + 1 } ?? text.startIndex
  return String(validating: text[text.startIndex..<end], as: UTF8.self)
}

/// The number in a small file; nil if there is none, or none that is finite.
func sysfsNumber(_ path: String) -> Double? {
  guard let value = sysfsText(path).flatMap(Double.init), value.isFinite else { return nil }
  return value
}
