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
  /// By layer then neuron: what a neuron counts for.
  public let importance: [[Double]]
  /// By layer; the first of each puts every neuron on one device.
  public let options: [[Option]]
  /// Elements of constants that every device holds.
  let common: Int
  private let scored: [ScoredLayer]?
  /// The options that do not depend on a budget, each for all layers.
  private let throughout: [(protection: Protection, placements: [LayerPlacement])]

  /// Lists what can be done for each layer.
  ///
  /// - Parameters:
  ///   - importance: by layer then neuron, to deal important neurons evenly, as method `coded` does.
  ///   - scored: the layers with their neurons' scores, for clustering, and to tell which neurons
  ///     count; nil leaves clustering out, and then `importance` tells.
  ///   - common: elements of constants that every device holds (`LayerTraits.common`).
  /// - Throws: what the placements throw.
  public init(
    layers: [LayerTraits], devices: Int, importance: [[Double]], scored: [ScoredLayer]? = nil,
    common: Int = 0
  ) throws(MartletError) {
    self.layers = layers
    self.devices = devices
    self.scored = scored
    self.common = common
    let worth = scored.map { $0.map(\.importance) } ?? importance
    self.importance = worth
    let shares = [Double](repeating: 1, count: devices)
    // Whole plans, so that the odd neurons even out over the layers of one kind.
    var plans: [(protection: Protection, placements: [LayerPlacement])] = [
      (
        .single,
        try Placing.coded(layers, shares: shares, tolerating: 0, importance: importance)
      )
    ]
    for tolerating in 1..<max(1, devices - 1) {
      let placements = try Placing.coded(
        layers, shares: shares, tolerating: tolerating, importance: importance)
      plans.append((.coded(tolerating: tolerating), placements))
    }
    if devices > 1 {
      for count in 2...devices {
        plans.append(
          (.copies(count), Placing.copies(layers, shares: shares, tolerating: count - 1)))
      }
    }
    throughout = plans
    for target in [1.5, 2, 3] where target < Double(devices) {
      guard let scored else { break }
      let thresholds = try scored.map { layer throws(MartletError) in
        // A layer that cannot be had at this price takes what is nearest.
        (try? ThresholdSearch([layer], devices: devices).find(.copies(target)))?.threshold
          ?? .infinity
      }
      let placements = try Placing.clustered(
        scored, devices: devices, thresholds: thresholds, distribution: .balanced)
      plans.append((.clustered(copies: target), placements))
    }
    for rest in 1..<max(2, devices - 1) where devices > 2 {
      for share in [0.125, 0.25, 0.5, 0.75] {
        plans.append(
          (
            .core(share: share, rest: rest),
            Placing.core(
              layers, importance: worth, devices: devices, share: share, rest: rest)
          ))
      }
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
    options.reduce(commonBytes) { $0 + ($1.map(\.bytes).min() ?? 0) }
  }

  /// Bytes of constants that every device holds, all devices together.
  var commonBytes: Int { common * devices * ElementType.float32.size }

  /// A plan of one option for each layer.
  func candidate(_ choice: [Int]) -> PlanCandidate {
    let chosen = zip(options, choice).map { $0[$1] }
    return PlanCandidate(
      placements: chosen.map(\.placement), protections: chosen.map(\.protection), in: self)
  }

  /// Plans with one protection throughout: what the other methods of `martlet plan` give, at most as
  /// large as a budget of bytes where the method can be had in any size. Not `cdc`: it leaves a device
  /// idle while all are there, so that the others compute more, and `coded` costs the same.
  func uniform(budget: Int) throws(MartletError) -> [PlanCandidate] {
    let shares = [Double](repeating: 1, count: devices)
    var plans = throughout
    plans.append((.contiguous, Placing.contiguous(layers, shares: shares)))
    guard devices > 1 else { return candidates(plans) }
    let whole = PlacementCost(of: [], layers: layers, devices: devices).modelBytes
    // Of the layers alone.
    let copies = Double(budget - commonBytes) / Double(max(whole, 1))
    for rest in 1..<devices where copies > Double(rest) && copies < Double(devices) {
      let share = (copies - Double(rest)) / Double(devices - rest)
      plans.append(
        (
          .core(share: share, rest: rest),
          Placing.core(
            layers, importance: importance, devices: devices, share: share, rest: rest)
        ))
    }
    // Below what groups need with their padding there is none.
    if let scored, let found = try? ThresholdSearch(scored, devices: devices).find(.copies(copies))
    {
      let thresholds = [Double](repeating: found.threshold, count: layers.count)
      plans.append(
        (
          .robustDiCE(copies: found.copies),
          try Placing.clustered(scored, devices: devices, thresholds: thresholds)
        ))
      plans.append(
        (
          .clustered(copies: found.copies),
          try Placing.clustered(
            scored, devices: devices, thresholds: thresholds, distribution: .balanced)
        ))
    }
    return candidates(plans)
  }

  private func candidates(
    _ plans: [(protection: Protection, placements: [LayerPlacement])]
  ) -> [PlanCandidate] {
    plans.map { protection, placements in
      PlanCandidate(
        placements: placements, protections: layers.map { _ in protection }, in: self)
    }
  }
}
