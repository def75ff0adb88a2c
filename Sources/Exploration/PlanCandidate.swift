import Partitioning
import Plan

/// A whole plan that may be chosen.
struct PlanCandidate: Sendable {
  /// By layer.
  let placements: [LayerPlacement]
  /// By layer.
  let protections: [Protection]
  /// Bytes of weights, all devices together.
  let bytes: Int
  /// Bytes of weights of the device with the most.
  let largest: Int

  init(placements: [LayerPlacement], protections: [Protection], in table: ProtectionTable) {
    let cost = PlacementCost(of: placements, layers: table.layers, devices: table.devices)
    self.placements = placements
    self.protections = protections
    bytes = cost.bytes.reduce(0, +)
    largest = cost.largest
  }
}
