import Plan

/// A whole plan that may be chosen.
struct PlanCandidate: Sendable {
  /// By layer.
  let placements: [LayerPlacement]
  /// By layer.
  let protections: [String]
  /// Bytes of weights, all devices together.
  let bytes: Int
  /// Bytes of weights of the device with the most.
  let largest: Int

  init(placements: [LayerPlacement], protections: [String], in table: ProtectionTable) {
    let cost = PlacementCost(
      of: placements, layers: table.layers, devices: table.devices, common: table.common)
    self.placements = placements
    self.protections = protections
    bytes = cost.bytes.reduce(0, +)
    largest = cost.largest
  }

  private init(_ estimated: PlanCandidate, held: [Int]) {
    placements = estimated.placements
    protections = estimated.protections
    bytes = held.reduce(0, +)
    largest = held.max() ?? 0
  }

  /// The same with what devices of its plan hold. That is a little more than the sum over layers where
  /// decoding a layer takes constants of all its channels.
  func counted(in plan: Plan) -> PlanCandidate {
    PlanCandidate(
      self, held: plan.devices.indices.map { ShardInventory(plan, device: $0).bytes })
  }

  /// Whether its weights fit.
  func fits(_ request: BudgetPlanner.Request) -> Bool {
    bytes <= request.budget && largest <= request.limits.weightBytes ?? .max
  }
}
