package import Foundations
package import ModelGraph
package import Plan

/// One way to spread a model over devices. A method is one file in `Methods`, and one line in
/// `PlanningMethods.standard`: commands, their help and the tools read everything else from here.
package protocol PlanningMethod: Sendable {
  /// What it is called on a command line, in `[a-z0-9-]`.
  var name: String { get }
  /// One line for a listing.
  var summary: String { get }
  /// What can be chosen; those that it shares with other methods are in `SharedOptions`.
  var options: [any MethodOptionFacts] { get }
  /// What goes together with it.
  var abilities: MethodAbilities { get }

  /// The devices, and what is split among them. By neurons unless the method says otherwise.
  ///
  /// - Throws: `invalidArgument` for wishes that contradict each other or the method.
  func layout(
    of graph: Graph, wishes: DeviceWishes, choices: MethodChoices
  ) throws(MartletError) -> PlanLayout

  /// Decides which devices hold each layer's neurons. The same request gives the same placement.
  ///
  /// - Throws: `invalidArgument` for choices that cannot be had, with the least that can.
  func place(_ request: PlacementRequest) throws(MartletError) -> PlacementResult

  /// What is worth comparing with other methods, in the order of a table; nothing unless the method
  /// says so.
  ///
  /// - Parameters:
  ///   - devices: how many there are, 2 or more.
  ///   - budgets: copies of the weights to allow, for methods that can be had in any size.
  func variants(devices: Int, budgets: [Double]) -> [MethodVariant]

  /// Decides for several variants, with whatever work they have in common done once.
  ///
  /// - Parameter request: choices for all variants; each variant's own are added.
  /// - Returns: by variant.
  func place(
    _ variants: [MethodVariant], _ request: PlacementRequest
  ) throws(MartletError) -> [VariantOutcome]

  /// Ways to protect layers that `budget` chooses from, at prices of their own.
  func protections(_ material: ProtectionMaterial) throws(MartletError) -> [ProtectionOffer]

  /// Whole plans that `budget` compares with its own, of at most so many copies of the layers.
  func protections(
    _ material: ProtectionMaterial, copies: Double
  ) throws(MartletError) -> [ProtectionOffer]
}

/// What a planning method goes together with.
package struct MethodAbilities: Sendable, Hashable {
  /// Whether devices may ask for different shares of the work.
  package var takesShares: Bool
  /// Whether channel means can stand in for what is lost.
  package var takesMeans: Bool
  /// Whether it measures with calibration images.
  package var needsImages: Bool
  /// Whether it plans without any option or image.
  package var worksAlone: Bool

  /// A method that works alone and goes with everything, unless told otherwise.
  package init(
    takesShares: Bool = true, takesMeans: Bool = true, needsImages: Bool = false,
    worksAlone: Bool = true
  ) {
    self.takesShares = takesShares
    self.takesMeans = takesMeans
    self.needsImages = needsImages
    self.worksAlone = worksAlone && !needsImages
  }
}

/// Where the neurons go, and in words how that was decided.
package struct PlacementResult: Sendable {
  /// By layer.
  package var placements: [LayerPlacement]
  /// The method and its choices: the plan's `method`.
  package var description: String
  /// The protection of each layer by name, where it was chosen layer by layer.
  package var protections: [String]?
  /// The share of calibration answers that stay, by number of failures from 1 on, where it was
  /// measured.
  package var agreement: [Double]?

  /// Describes a decision.
  package init(
    placements: [LayerPlacement], description: String, protections: [String]? = nil,
    agreement: [Double]? = nil
  ) {
    self.placements = placements
    self.description = description
    self.protections = protections
    self.agreement = agreement
  }
}

/// A method with some of its options: one point, or one of a line, in a comparison.
package struct MethodVariant: Sendable, Hashable {
  /// What it belongs to in a chart.
  package var series: String
  /// Unique in a comparison.
  package var name: String
  /// The method's options, as texts by name.
  package var options: [String: String]
  /// Options that have to be given besides.
  package var requires: [String]
  /// The copies of the weights that it is allowed.
  package var budget: Double?

  /// Describes a variant; series and name are one unless told otherwise.
  package init(
    _ series: String, name: String? = nil, options: [String: String] = [:],
    requires: [String] = [], budget: Double? = nil
  ) {
    self.series = series
    self.name = name ?? series
    self.options = options
    self.requires = requires
    self.budget = budget
  }
}

/// What became of a variant.
package enum VariantOutcome: Sendable {
  /// It can be had.
  case placed(PlacementResult)
  /// It cannot, and why.
  case leftOut(String)
}

extension PlanningMethod {
  /// Nothing can be chosen.
  package var options: [any MethodOptionFacts] { [] }

  /// Goes with everything.
  package var abilities: MethodAbilities { MethodAbilities() }

  /// The devices that were wished for, and the model split by neurons.
  package func layout(
    of graph: Graph, wishes: DeviceWishes, choices: MethodChoices
  ) throws(MartletError) -> PlanLayout {
    PlanLayout(devices: try wishes.devices(), sharding: try Sharding(graph))
  }

  /// Nothing to compare.
  package func variants(devices: Int, budgets: [Double]) -> [MethodVariant] { [] }

  /// One after the other; what cannot be had is left out.
  package func place(
    _ variants: [MethodVariant], _ request: PlacementRequest
  ) throws(MartletError) -> [VariantOutcome] {
    let shown = request.measuring.watch(name, variants.count)
    var outcomes: [VariantOutcome] = []
    for variant in variants {
      try request.measuring.check()
      do throws(MartletError) {
        outcomes.append(.placed(try place(try request.adding(variant.options, for: self))))
      } catch  where error.code == .invalidArgument {
        outcomes.append(.leftOut(error.hint ?? error.message))
      }
      shown(outcomes.count)
    }
    return outcomes
  }

  /// Nothing for `budget`.
  package func protections(
    _ material: ProtectionMaterial
  ) throws(MartletError) -> [ProtectionOffer] { [] }

  /// Nothing for `budget`.
  package func protections(
    _ material: ProtectionMaterial, copies: Double
  ) throws(MartletError) -> [ProtectionOffer] { [] }
}
