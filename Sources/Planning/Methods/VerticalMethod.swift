import Foundations
import ModelGraph
import Plan

/// Consecutive layers on devices from edge to cloud, without copies: what deepFogGuard calls Vanilla.
struct VerticalMethod: PlanningMethod {
  let name = "vertical"
  let summary = "consecutive layers on devices from edge to cloud (deepFogGuard's Vanilla)"
  let options: [any MethodOptionFacts] = [VerticalMethod.cuts, VerticalMethod.tiers]
  /// What is lost is null: there is no channel for a mean to stand in.
  let abilities = MethodAbilities(takesMeans: false)

  /// The layers that end a device's block.
  static let cuts = MethodOption<[String]>(
    "cuts", .names("layer,..."),
    help: "the layers that end a device's block, by commas; else multiply-adds are balanced.")

  /// Where each device stands.
  static let tiers = MethodOption<[String]>(
    "tiers", .names("tier,..."),
    help: "where each device stands, by commas; edge,fog,cloud unless given.")

  /// Devices from edge to cloud, and the block of each.
  func layout(
    of graph: Graph, wishes: DeviceWishes, choices: MethodChoices
  ) throws(MartletError) -> PlanLayout {
    try wishes.check()
    let (cuts, tiers) = (choices[Self.cuts], choices[Self.tiers])
    let number =
      wishes.names?.count ?? wishes.count ?? tiers?.count ?? cuts.map { $0.count + 1 } ?? 3
    guard number >= 2, cuts.map({ $0.count + 1 == number }) ?? true,
      tiers.map({ $0.count == number }) ?? true,
      wishes.shares.map({ $0.count == number }) ?? true
    else {
      throw MartletError(
        .invalidArgument,
        "a vertical plan has one device more than --cuts, and a tier and share for each of them")
    }
    let stand = tiers ?? Self.usualTiers(number)
    let names = wishes.names ?? Self.numbered(stand)
    let devices = names.indices.map {
      Plan.Device(name: names[$0], share: wishes.shares?[$0] ?? 1, tier: stand[$0])
    }
    let chosen =
      if let cuts {
        try VerticalCuts(after: cuts, of: graph)
      } else {
        try VerticalCuts(balancing: graph, shares: devices.map(\.share))
      }
    return PlanLayout(
      devices: devices, sharding: try Sharding(graph, blocks: chosen.blocks(of: graph)))
  }

  func place(_ request: PlacementRequest) throws(MartletError) -> PlacementResult {
    PlacementResult(
      placements: request.context.sharding.layers.indices.map { LayerPlacement(holders: [[$0]]) },
      description: name)
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
