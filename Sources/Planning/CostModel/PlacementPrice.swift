package import Foundations
package import ModelGraph
package import Plan
package import Tensors

/// What a way to divide a network would cost with neurons dealt in contiguous runs: what searches for
/// strips and for pairs compare.
package struct PlacementPrice {
  private let graph: Graph
  private let model: Plan.Model
  private let devices: [Plan.Device]
  private let wire: WireType?
  private let cost: CostModel
  private let goal: PlanGoal
  private let check: StopCheck

  /// Prepares prices.
  ///
  /// - Parameters:
  ///   - wire: how parts will travel; float32 if nil.
  ///   - check: called for every price; whatever it throws ends the search.
  package init(
    _ graph: Graph, model: Plan.Model, devices: [Plan.Device], wire: WireType?, cost: CostModel,
    goal: PlanGoal, check: @escaping StopCheck
  ) {
    self.graph = graph
    self.model = model
    self.devices = devices
    self.wire = wire
    self.cost = cost
    self.goal = goal
    self.check = check
  }

  /// The price; nil for what cannot be divided so, or leaves nothing to place.
  ///
  /// - Throws: what `check` throws.
  func callAsFunction(strips: Strips?, pairs: [Int] = []) throws(MartletError) -> Double? {
    try check()
    guard let sharding = try? Sharding(graph, strips: strips, pairs: pairs) else { return nil }
    let traits = LayerTraits.all(of: sharding, graph: graph)
    let placements = Placing.contiguous(traits, shares: devices.map(\.share))
    guard
      var plan = try? Plan(
        model: model, method: "", devices: devices, graph: graph, sharding: sharding,
        placements: placements)
    else { return nil }
    if let wire { plan = try plan.travelling(as: plan.exchanges.map { _ in wire }) }
    return goal.price(of: cost.predict(plan: plan))
  }
}
