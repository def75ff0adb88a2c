import Foundations

/// Every neuron on every device.
struct ReplicateMethod: PlanningMethod {
  let name = "replicate"
  let summary = "every neuron on every device (DMR, TMR, QMR)"

  func place(_ request: PlacementRequest) throws(MartletError) -> PlacementResult {
    PlacementResult(
      placements: Placing.replicate(request.layers, shares: request.shares), description: name)
  }

  func variants(devices: Int, budgets: [Double]) -> [MethodVariant] {
    [MethodVariant(name)]
  }

  func protections(
    _ material: ProtectionMaterial
  ) throws(MartletError) -> [ProtectionOffer] {
    (2..<max(2, material.devices + 1)).map { count in
      ProtectionOffer(
        "copies\(count)",
        Placing.copies(material.layers, shares: material.shares, tolerating: count - 1))
    }
  }
}
