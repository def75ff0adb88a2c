import Foundations

/// Layer output partitioning: each device has one contiguous run of each layer's neurons.
struct LopMethod: PlanningMethod {
  let name = "lop"
  let summary = "contiguous runs of neurons (layer output partitioning)"

  func place(_ request: PlacementRequest) throws(MartletError) -> PlacementResult {
    PlacementResult(
      placements: Placing.contiguous(request.layers, shares: request.shares), description: name)
  }

  func variants(devices: Int, budgets: [Double]) -> [MethodVariant] {
    [MethodVariant(name)]
  }

  func protections(
    _ material: ProtectionMaterial
  ) throws(MartletError) -> [ProtectionOffer] {
    [
      ProtectionOffer(
        name, Placing.contiguous(material.layers, shares: material.shares), use: .wholePlan)
    ]
  }
}
