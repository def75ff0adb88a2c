package import Foundations

/// How fast something is joined to the network, in each of both directions at once.
package struct LinkSpeed: Sendable, Hashable {
  /// Bytes a second; infinite where nothing limits it.
  package var bytesPerSecond: Double
  /// Seconds that it takes a byte to pass.
  package var latency: Double

  /// A link.
  package init(bytesPerSecond: Double, latency: Double = 0) {
    self.bytesPerSecond = bytesPerSecond
    self.latency = latency
  }

  /// Nothing between.
  package static let unlimited = LinkSpeed(bytesPerSecond: .infinity)

  /// Reads `RATE[,LATENCY]`, such as `50mbit,2ms`; `none` is no limit.
  ///
  /// - Throws: `invalidArgument`, with what is allowed.
  package init(parsing text: String) throws(MartletError) {
    let pieces = text.split(separator: ",", omittingEmptySubsequences: false)
    guard (1...2).contains(pieces.count),
      let rate = pieces[0] == "none"
        ? .infinity : Self.value(pieces[0], Self.rateUnits, within: 1...1e15).map({ $0 / 8 }),
      let latency = pieces.count == 1 ? 0 : Self.value(pieces[1], Self.timeUnits, within: 0...60)
    else {
      throw MartletError(
        .invalidArgument, "'\(text)' is no speed of a link",
        hint: "give a rate in kbit, mbit or gbit, and perhaps a latency in us, ms or s: "
          + "100mbit, 50mbit,2ms, none,5ms")
    }
    self.init(bytesPerSecond: rate, latency: latency)
  }

  /// In bits a second.
  private static let rateUnits: [(String, Double)] = [
    ("kbit", 1e3), ("mbit", 1e6), ("gbit", 1e9),
  ]
  /// In seconds.
  private static let timeUnits: [(String, Double)] = [("us", 1e-6), ("ms", 1e-3), ("s", 1)]

  private static func value(
    _ text: Substring, _ units: [(String, Double)], within range: ClosedRange<Double>
  ) -> Double? {
    guard let (unit, factor) = units.first(where: { text.hasSuffix($0.0) }),
      let number = Double(text.dropLast(unit.count)), case let value = number * factor,
      range.contains(value)
    else { return nil }
    return value
  }
}

extension LinkSpeed: CustomStringConvertible {
  /// As it is read: `50mbit,2ms`.
  package var description: String {
    let rate =
      bytesPerSecond.isFinite ? Self.text(bytesPerSecond * 8, Self.rateUnits) : "none"
    return latency > 0 ? rate + "," + Self.text(latency, Self.timeUnits) : rate
  }

  private static func text(_ value: Double, _ units: [(String, Double)]) -> String {
    let (unit, factor) = units.last { value >= $0.1 } ?? units[0]
    return (value / factor).asPlainText + unit
  }
}

/// The links of all who take part in a deployment.
package struct NetworkSpeed: Sendable, Hashable {
  /// By device.
  package var devices: [LinkSpeed]
  /// The client's.
  package var client: LinkSpeed
  /// The broker's, shared by all that passes through it.
  package var broker: LinkSpeed

  /// Links.
  package init(devices: [LinkSpeed], client: LinkSpeed, broker: LinkSpeed) {
    self.devices = devices
    self.client = client
    self.broker = broker
  }

  /// Reads links as a command line has them.
  ///
  /// - Parameters:
  ///   - links: a speed for all, and `DEVICE=SPEED` for single ones; `client` is one of them unless a
  ///     device is called so. What is not named has no limit.
  ///   - broker: the speed of the broker's link; no limit if nil.
  ///   - names: the devices' names in order.
  /// - Throws: `invalidArgument` for what is no speed, two speeds for one, and names of nobody.
  package init(
    parsing links: [String], broker: String?, names: [String]
  ) throws(MartletError) {
    var common: LinkSpeed?
    var own: [String: LinkSpeed] = [:]
    for text in links {
      guard let sign = text.firstIndex(of: "=") else {
        guard common == nil else {
          throw MartletError(
            .invalidArgument, "two links are for all devices",
            hint: "give one, and DEVICE=RATE for the devices that have another")
        }
        common = try LinkSpeed(parsing: text)
        continue
      }
      let name = String(text[..<sign])
      guard names.contains(name) || name == "client" else {
        throw MartletError(
          .invalidArgument, "a link is for '\(name)', which is no device of the plan",
          hint: "there are " + (names + ["client"]).joined(separator: ", "))
      }
      guard own[name] == nil else {
        throw MartletError(.invalidArgument, "two links are for '\(name)'")
      }
      own[name] = try LinkSpeed(parsing: String(text[text.index(after: sign)...]))
    }
    let usual = common ?? .unlimited
    self.init(
      devices: names.map { own[$0] ?? usual },
      client: names.contains("client") ? usual : own["client"] ?? usual,
      broker: try broker.map { text throws(MartletError) in try LinkSpeed(parsing: text) }
        ?? .unlimited)
  }
}
