package import Plan

/// What a plan costs, and how its layers are protected.
package struct PlanFigures: Sendable {
  /// By device, while all are there.
  package let devices: [DeviceCost]
  /// Bytes of weights of all devices over those of the model.
  package let copies: Double
  /// Layers that are split.
  package let layers: Int
  /// Exchanges of a frame while all devices are there.
  package let exchanges: Int
  /// The protection of each layer, by the layer's name, where it was chosen layer by layer.
  package let protections: [(layer: String, protection: String)]?
  /// The share of calibration answers that stay, by number of failures from 1 on, where it was
  /// measured.
  package let agreement: [Double]?

  /// The figures of a plan.
  package init(_ plan: Plan, _ result: PlacementResult) {
    devices = plan.devices.indices.map { plan.cost(of: $0) }
    copies = devices.copies(of: plan)
    layers = plan.sharding.layers.count
    exchanges = plan.exchangeCount
    protections = result.protections.map { names in
      zip(plan.sharding.layers, names).map { ($0.id, $1) }
    }
    agreement = result.agreement
  }
}
