public import Partitioning
public import Plan
public import TensorCore

/// Every way to protect every layer, and what each costs.
public struct ProtectionTable: Sendable {
  /// One way for one layer.
  public struct Option: Sendable {
    /// What it is.
    public var protection: Protection
    /// Where it puts the layer's neurons.
    public var placement: LayerPlacement
    /// Bytes of weights, all devices together.
    public var bytes: Int
  }

  /// The layers.
  public let layers: [LayerTraits]
  /// How many devices there are.
  public let devices: Int
  /// By layer.
  public let options: [[Option]]

  /// Lists what can be done for each layer.
  ///
  /// - Parameters:
  ///   - importance: by layer then neuron, to deal important neurons evenly.
  ///   - scored: the layers with their neurons' scores, for clustering; nil leaves clustering out.
  /// - Throws: what the placements throw.
  public init(
    layers: [LayerTraits], devices: Int, importance: [[Double]], scored: [ScoredLayer]? = nil
  ) throws(MartletError) {
    self.layers = layers
    self.devices = devices
    let shares = [Double](repeating: 1, count: devices)
    // Whole plans, so that the odd neurons even out over the layers of one kind.
    var plans: [(Protection, [LayerPlacement])] = [
      (
        .single,
        try Placing.coded(layers, shares: shares, tolerating: 0, importance: importance)
      )
    ]
    for tolerating in 1..<max(1, devices - 1) {
      plans.append(
        (
          .coded(tolerating: tolerating),
          try Placing.coded(
            layers, shares: shares, tolerating: tolerating, importance: importance)
        ))
    }
    if devices > 1 {
      for count in 2...devices {
        plans.append(
          (.copies(count), Placing.copies(layers, shares: shares, tolerating: count - 1)))
      }
    }
    for target in [1.5, 2, 3] where target < Double(devices) {
      guard let scored else { break }
      let thresholds = try scored.map { layer throws(MartletError) in
        // A layer that cannot be had at this price takes what is nearest.
        (try? ThresholdSearch([layer], devices: devices).find(.copies(target)))?.threshold
          ?? .infinity
      }
      plans.append(
        (
          .clustered(copies: target),
          try Placing.clustered(
            scored, devices: devices, thresholds: thresholds, distribution: .balanced)
        ))
    }
    options = layers.indices.map { layer in
      var seen: Set<LayerPlacement> = []
      return plans.compactMap { protection, placements in
        let placement = placements[layer]
        guard seen.insert(placement).inserted else { return nil }
        let cost = PlacementCost(of: [placement], layers: [layers[layer]], devices: devices)
        return Option(
          protection: protection, placement: placement, bytes: cost.bytes.reduce(0, +))
      }
    }
  }

  /// The least possible bytes of weights, all devices together.
  public var minimumBytes: Int {
    options.reduce(0) { $0 + ($1.map(\.bytes).min() ?? 0) }
  }

  /// The placements of a choice of one option for each layer.
  public func placements(_ choice: [Int]) -> [LayerPlacement] {
    zip(options, choice).map { $0[$1].placement }
  }

  /// The bytes of a choice.
  public func bytes(_ choice: [Int]) -> Int {
    zip(options, choice).reduce(0) { $0 + $1.0[$1.1].bytes }
  }
}
