import Foundations

/// Neurons in order of importance, dealt round robin: every device has its share of those that
/// matter.
struct InterleavedMethod: PlanningMethod {
  let name = "interleaved"
  let summary = "neurons sorted by l1 importance and dealt round robin"

  func place(_ request: PlacementRequest) throws(MartletError) -> PlacementResult {
    PlacementResult(
      placements: Placing.interleaved(
        request.graph, sharding: request.context.sharding, shares: request.shares),
      description: name)
  }

  func variants(devices: Int, budgets: [Double]) -> [MethodVariant] {
    [MethodVariant(name)]
  }
}
