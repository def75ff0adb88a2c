package import Evaluation
package import Foundations
package import Plan
package import Resilience

/// The computing part of `martlet explore`: one masked model, with which placements are chosen on
/// calibration images and then tested on others.
package struct Exploring: Sendable {
  private let context: PlacingContext
  private let measuring: Measuring
  private let calibrated: CalibratedModel

  /// Prepares a model.
  ///
  /// - Parameter fill: what stands in for lost neurons, measured on the calibration images.
  /// - Throws: what reading images throws; `cancelled`.
  package init(
    context: PlacingContext, measuring: Measuring, calibration: LabelledImages,
    fill: Plan.Fill.Kind
  ) throws(MartletError) {
    try context.model.head?.requireOneOfMany(for: "martlet explore")
    self.context = context
    self.measuring = measuring
    calibrated = try CalibratedModel(
      context, images: calibration, fill: fill, measuring: measuring)
  }

  /// Placements by every variant of every method, each once. Where the front of the network is divided by
  /// rows, their names say so.
  ///
  /// - Parameters:
  ///   - budgets: copies of the weights to allow.
  ///   - options: texts by name, for the methods that have them.
  /// - Throws: what methods throw, but for what cannot be had, which is left out.
  package func placements(
    budgets: [Double], options: [String: String], methods: PlanningMethods = .standard
  ) throws(MartletError) -> PlacementCollection {
    var found = PlacementCollection()
    let strips = context.sharding.strips.map { ", " + $0.description(of: context.graph) } ?? ""
    for method in methods.all {
      let variants = method.variants(devices: context.devices.count, budgets: budgets)
      let missing = Set(variants.flatMap(\.requires)).subtracting(options.keys).sorted()
      guard missing.isEmpty else {
        let names = missing.map { "--" + $0 }.joined(separator: ", ")
        found.leaveOut(method.name + strips, because: "it needs \(names)")
        continue
      }
      guard !variants.isEmpty else { continue }
      let calibrated = calibrated
      // Options are for all methods; each takes those that it has.
      let own = options.filter { given in method.options.contains { $0.name == given.key } }
      let request = PlacementRequest(
        context: context, choices: try MethodChoices(own, for: method, among: methods),
        methods: methods, measuring: measuring,
        calibration: { () throws(MartletError) in calibrated })
      for (variant, outcome) in zip(variants, try method.place(variants, request)) {
        found.add(variant.with(strips), outcome)
      }
    }
    return found
  }

  /// Classifies all images with all placements under all failure sets.
  package func study(
    _ placed: [ExploredPlacement], sets: [[Int]], images: LabelledImages
  ) throws(MartletError) -> [FailureTable] {
    let study = FailureStudy(
      model: calibrated.model, values: calibrated.values,
      subjects: placed.map {
        FailureStudy.Subject(
          plan: $0.variant.name, method: $0.variant.series, devices: context.devices.map(\.name),
          placements: $0.result.placements, sets: sets, fill: calibrated.fill)
      }, head: context.model.head ?? .unknown)
    return try measuring.run(study, images).tables
  }

  /// The placements with what they cost and what they keep.
  package func points(
    _ placed: [ExploredPlacement], _ tables: [FailureTable]
  ) throws(MartletError) -> [ExplorePoint] {
    let shown = measuring.watch("cost of placement", placed.count)
    var points: [ExplorePoint] = []
    for (placed, table) in zip(placed, tables) {
      try measuring.check()
      let plan = try context.plan(placed.result.placements, method: placed.variant.series)
      points.append(ExplorePoint(placed, plan, table))
      shown(points.count)
    }
    return points
  }
}

extension MethodVariant {
  /// The same under names that go on with a text.
  fileprivate func with(_ suffix: String) -> MethodVariant {
    var variant = self
    variant.series += suffix
    variant.name += suffix
    return variant
  }
}
