import ArgumentParser
import ModelGraph
import Plan
import Planning
import TensorCore

/// What `martlet plan --method vertical` makes of its options: devices from edge to cloud, and the
/// block of each.
struct VerticalDesign {
  let devices: [Plan.Device]
  let sharding: Sharding

  /// - Parameters:
  ///   - names: of the devices, if they were given.
  ///   - count: of the devices, if it was given.
  init(
    _ graph: Graph, cuts: String?, tiers: String?, names: [String]?, count: Int?, shares: [Double]?
  ) throws {
    let cutNames = cuts?.split(separator: ",").map(String.init)
    let tierNames = tiers?.split(separator: ",").map(String.init)
    let number =
      names?.count ?? count ?? tierNames?.count ?? cutNames.map { $0.count + 1 } ?? 3
    guard number >= 2, cutNames.map({ $0.count + 1 == number }) ?? true,
      tierNames.map({ $0.count == number }) ?? true, shares.map({ $0.count == number }) ?? true
    else {
      throw ValidationError(
        "a vertical plan has one device more than --cuts, and a tier and share for each of them")
    }
    let tiers = tierNames ?? Self.usualTiers(number)
    let names = names ?? Self.numbered(tiers)
    devices = names.indices.map {
      Plan.Device(name: names[$0], share: shares?[$0] ?? 1, tier: tiers[$0])
    }
    let chosen =
      if let cutNames {
        try VerticalCuts(after: cutNames, of: graph)
      } else {
        try VerticalCuts(balancing: graph, shares: devices.map(\.share))
      }
    sharding = try Sharding(graph, blocks: chosen.blocks(of: graph))
  }

  /// Edge, then fog, then cloud.
  private static func usualTiers(_ count: Int) -> [String] {
    ["edge"] + Array(repeating: "fog", count: count - 2) + ["cloud"]
  }

  /// A tier with one device gives it its name; of several they are numbered.
  private static func numbered(_ tiers: [String]) -> [String] {
    var seen: [String: Int] = [:]
    return tiers.map { tier in
      guard tiers.count(where: { $0 == tier }) > 1 else { return tier }
      seen[tier, default: 0] += 1
      return "\(tier)\(seen[tier] ?? 0)"
    }
  }
}
