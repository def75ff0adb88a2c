package import Foundations
package import ModelGraph
package import Plan
package import Tensors

/// Finds how much of a network's front is best divided by rows, and which halos are best sent, on devices
/// and links that a cost model knows.
///
/// Every end of the front is priced with the halos of its narrowest values; at the best one, halos are then
/// given up one by one, for as long as computing rows twice is cheaper than waiting for them. The layers
/// behind the front are dealt in contiguous runs meanwhile: what method places them later changes little of
/// what the front costs.
package struct StripSearch {
  private let graph: Graph
  private let model: Plan.Model
  private let devices: [Plan.Device]
  private let wire: WireType?
  private let cost: CostModel
  private let goal: PlanGoal
  private let check: StopCheck

  /// Prepares a search.
  ///
  /// - Parameters:
  ///   - wire: how parts will travel; float32 if nil.
  ///   - check: called often; whatever it throws ends the search.
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

  /// The best front; nil where nothing is best divided by rows.
  ///
  /// - Throws: what `check` throws.
  package func best() throws(MartletError) -> Strips? {
    let front = StripFront(graph)
    var best: (strips: Strips?, price: Double) = (nil, try price(nil) ?? .infinity)
    for end in front.ends {
      guard let strips = front.strips(end: end), let price = try price(strips) else { continue }
      if price < best.price { best = (strips, price) }
    }
    guard var strips = best.strips else { return nil }
    var isBetter = true
    while isBetter {
      isBetter = false
      for value in strips.halos.sorted() {
        let fewer = strips.halos.subtracting([value])
        guard let other = try? Strips(graph, nodes: strips.nodes, halos: fewer),
          let price = try price(other), price < best.price
        else { continue }
        best.price = price
        strips = other
        isBetter = true
      }
    }
    return strips
  }

  /// Nil for a front that leaves nothing to place.
  private func price(_ strips: Strips?) throws(MartletError) -> Double? {
    try check()
    guard let sharding = try? Sharding(graph, strips: strips) else { return nil }
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
