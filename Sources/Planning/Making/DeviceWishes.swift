package import Foundations
package import Plan

/// What was said about the devices of a plan.
package struct DeviceWishes: Sendable {
  /// Their names.
  package var names: [String]?
  /// How many there are.
  package var count: Int?
  /// Relative work of each.
  package var shares: [Double]?

  /// Says something about the devices, or nothing.
  package init(names: [String]? = nil, count: Int? = nil, shares: [Double]? = nil) {
    self.names = names
    self.count = count
    self.shares = shares
  }

  /// The devices, called `d0`, `d1` and so on if only their number is known.
  ///
  /// - Throws: `invalidArgument` unless there are either names or a number, and a share for each.
  package func devices() throws(MartletError) -> [Plan.Device] {
    guard let names = names ?? count.map({ (0..<$0).map { "d\($0)" } }) else {
      throw MartletError(.invalidArgument, "give either --devices or --names")
    }
    try check()
    guard let shares else { return names.map { Plan.Device(name: $0) } }
    guard shares.count == names.count else {
      throw MartletError(
        .invalidArgument, "--shares takes \(names.count) numbers, separated by commas")
    }
    return zip(names, shares).map { Plan.Device(name: $0, share: $1) }
  }

  /// - Throws: `invalidArgument` if there are names and a number.
  func check() throws(MartletError) {
    guard names == nil || count == nil else {
      throw MartletError(.invalidArgument, "give either --devices or --names")
    }
  }
}

/// The devices of a plan, and what is split among them.
package struct PlanLayout: Sendable {
  /// In order.
  package var devices: [Plan.Device]
  /// What is whole and what is split.
  package var sharding: Sharding

  /// Joins devices and a sharding.
  package init(devices: [Plan.Device], sharding: Sharding) {
    self.devices = devices
    self.sharding = sharding
  }
}
