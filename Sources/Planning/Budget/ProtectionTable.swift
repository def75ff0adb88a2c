package import Foundations
package import Plan
import Tensors

/// Every way to protect every layer, and what each costs.
package struct ProtectionTable: Sendable {
  /// One way for one layer.
  package struct Option: Sendable {
    /// What it is called: `single`, `coded1`, `copies2`, `clustered1.5`, `core0.25`.
    package var protection: String
    /// Where it puts the layer's neurons.
    package var placement: LayerPlacement
    /// Bytes of weights, all devices together.
    package var bytes: Int
  }

  /// The layers.
  package let layers: [LayerTraits]
  /// How many devices there are.
  package let devices: Int
  /// By layer then neuron: what a neuron counts for.
  package let importance: [[Double]]
  /// By layer; the first of each puts every neuron on one device.
  package let options: [[Option]]
  /// Elements of constants that every device holds.
  let common: Int
  private let methods: PlanningMethods
  private let material: ProtectionMaterial
  /// What methods offer at prices of their own, each for all layers.
  private let offers: [ProtectionOffer]

  /// Lists what can be done for each layer.
  ///
  /// - Parameters:
  ///   - importance: by layer then neuron, to deal important neurons evenly, as method `coded` does.
  ///   - scored: the layers with their neurons' scores, for clustering, and to tell which neurons
  ///     count; nil leaves clustering out, and then `importance` tells.
  ///   - common: elements of constants that every device holds (`LayerTraits.common`).
  ///   - methods: whose offers there are to choose from; the first puts every neuron on one device.
  /// - Throws: what the placements throw.
  package init(
    layers: [LayerTraits], devices: Int, importance: [[Double]], scored: [ScoredLayer]? = nil,
    common: Int = 0, methods: PlanningMethods = .standard
  ) throws(MartletError) {
    self.layers = layers
    self.devices = devices
    self.common = common
    self.methods = methods
    let worth = scored.map { $0.map(\.importance) } ?? importance
    self.importance = worth
    // Whole plans, so that the odd neurons even out over the layers of one kind.
    material = ProtectionMaterial(
      layers: layers, devices: devices, importance: importance, scored: scored)
    var offers: [ProtectionOffer] = []
    for method in methods.all { offers += try method.protections(material) }
    self.offers = offers
    var plans = offers.filter { $0.use == .anything } + offers.filter { $0.use == .layers }
    for rest in 1..<max(2, devices - 1) where devices > 2 {
      plans += [0.125, 0.25, 0.5, 0.75].map { share in
        ProtectionTable.core(layers, worth, devices: devices, share: share, rest: rest)
      }
    }
    options = layers.indices.map { layer in
      var seen: Set<LayerPlacement> = []
      return plans.compactMap { plan in
        let placement = plan.placements[layer]
        guard seen.insert(placement).inserted else { return nil }
        let cost = PlacementCost(of: [placement], layers: [layers[layer]], devices: devices)
        return Option(
          protection: plan.name, placement: placement, bytes: cost.bytes.reduce(0, +))
      }
    }
  }

  /// The least possible bytes of weights, all devices together.
  package var minimumBytes: Int {
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
    var plans = offers.filter { $0.use == .anything } + offers.filter { $0.use == .wholePlan }
    guard devices > 1 else { return candidates(plans) }
    let whole = PlacementCost(of: [], layers: layers, devices: devices).modelBytes
    // Of the layers alone.
    let copies = Double(budget - commonBytes) / Double(max(whole, 1))
    for rest in 1..<devices where copies > Double(rest) && copies < Double(devices) {
      let share = (copies - Double(rest)) / Double(devices - rest)
      plans.append(
        ProtectionTable.core(layers, importance, devices: devices, share: share, rest: rest))
    }
    for method in methods.all { plans += try method.protections(material, copies: copies) }
    return candidates(plans)
  }

  private func candidates(_ plans: [ProtectionOffer]) -> [PlanCandidate] {
    plans.map { plan in
      PlanCandidate(
        placements: plan.placements, protections: layers.map { _ in plan.name }, in: self)
    }
  }

  /// The most important neurons, a share of them, on all devices, the others on `rest` devices.
  private static func core(
    _ layers: [LayerTraits], _ importance: [[Double]], devices: Int, share: Double, rest: Int
  ) -> ProtectionOffer {
    ProtectionOffer(
      "core\(share.asShortText)" + (rest > 1 ? "+copies\(rest)" : ""),
      Placing.core(layers, importance: importance, devices: devices, share: share, rest: rest))
  }
}
