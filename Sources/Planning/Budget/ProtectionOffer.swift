package import Plan

/// What methods make protections of.
package struct ProtectionMaterial: Sendable {
  /// The layers.
  package let layers: [LayerTraits]
  /// How many devices there are; all have equal shares.
  package let devices: Int
  /// By layer then neuron, to deal important neurons evenly.
  package let importance: [[Double]]
  /// The layers with their neurons' scores; nil where there are none.
  package let scored: [ScoredLayer]?

  /// One for each device.
  package var shares: [Double] { [Double](repeating: 1, count: devices) }
}

/// One protection for all layers, from which single layers can be taken.
package struct ProtectionOffer: Sendable {
  /// What can be had.
  package enum Use: Sendable {
    /// Single layers, and the whole as a plan of one protection throughout.
    case anything
    /// Single layers.
    case layers
    /// The whole.
    case wholePlan
  }

  /// Short, for tables: `coded1`, `copies2`.
  package var name: String
  /// By layer.
  package var placements: [LayerPlacement]
  /// What can be had of it.
  package var use: Use

  /// Offers a protection.
  package init(_ name: String, _ placements: [LayerPlacement], use: Use = .anything) {
    self.name = name
    self.placements = placements
    self.use = use
  }
}
