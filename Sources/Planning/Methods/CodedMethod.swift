import Foundations

/// An erasure code over stripes that rotate around the devices.
struct CodedMethod: PlanningMethod {
  let name = "coded"
  let summary = "striped erasure code: any --tolerate devices may be lost"
  let options: [any MethodOptionFacts] = [CodedMethod.tolerate]
  let abilities = MethodAbilities(takesShares: false)

  /// How many devices may be lost.
  static let tolerate = MethodOption<Int>(
    "tolerate", .integer(from: 0), standard: "1", help: "how many devices may be lost.")

  func place(_ request: PlacementRequest) throws(MartletError) -> PlacementResult {
    let tolerating = request.choices[Self.tolerate] ?? 1
    return PlacementResult(
      placements: try Placing.coded(
        request.layers, shares: request.shares, tolerating: tolerating,
        importance: request.context.l1),
      description: "\(name), tolerates \(tolerating)")
  }

  func variants(devices: Int, budgets: [Double]) -> [MethodVariant] {
    // What survives all failures but one is what `replicate` gives.
    (1..<max(2, devices - 1)).map {
      MethodVariant(
        name, name: "\(name), tolerates \($0)", options: [Self.tolerate.name: "\($0)"])
    }
  }

  func protections(
    _ material: ProtectionMaterial
  ) throws(MartletError) -> [ProtectionOffer] {
    try (0..<max(1, material.devices - 1)).map { tolerating throws(MartletError) in
      ProtectionOffer(
        tolerating == 0 ? "single" : "\(name)\(tolerating)",
        try Placing.coded(
          material.layers, shares: material.shares, tolerating: tolerating,
          importance: material.importance))
    }
  }
}
