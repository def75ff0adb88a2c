public import Plan

/// What methods make protections of.
public struct ProtectionMaterial: Sendable {
  /// The layers.
  public let layers: [LayerTraits]
  /// How many devices there are; all have equal shares.
  public let devices: Int
  /// By layer then neuron, to deal important neurons evenly.
  public let importance: [[Double]]
  /// The layers with their neurons' scores; nil where there are none.
  public let scored: [ScoredLayer]?

  /// One for each device.
  public var shares: [Double] { [Double](repeating: 1, count: devices) }
}

/// One protection for all layers, from which single layers can be taken.
public struct ProtectionOffer: Sendable {
  /// What can be had.
  public enum Use: Sendable {
    /// Single layers, and the whole as a plan of one protection throughout.
    case anything
    /// Single layers.
    case layers
    /// The whole.
    case wholePlan
  }

  /// Short, for tables: `coded1`, `copies2`.
  public var name: String
  /// By layer.
  public var placements: [LayerPlacement]
  /// What can be had of it.
  public var use: Use

  /// Offers a protection.
  public init(_ name: String, _ placements: [LayerPlacement], use: Use = .anything) {
    self.name = name
    self.placements = placements
    self.use = use
  }
}
