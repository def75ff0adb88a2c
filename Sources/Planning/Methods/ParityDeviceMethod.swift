import Foundations

/// Coded distributed computing: contiguous runs, and their sum on the last device.
struct ParityDeviceMethod: PlanningMethod {
  let name = "cdc"
  let summary = "as lop, and the last device holds the sum of the others"

  func place(_ request: PlacementRequest) throws(MartletError) -> PlacementResult {
    PlacementResult(
      placements: try Placing.parityDevice(request.layers, shares: request.shares),
      description: name)
  }

  func variants(devices: Int, budgets: [Double]) -> [MethodVariant] {
    [MethodVariant(name)]
  }
}
