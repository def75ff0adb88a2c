import Evaluation
import ModelGraph
import Plan
import Planning
import Resilience
import Tables
import TensorCore

/// The computing part of `martlet explore`: one masked model, with which placements are chosen on
/// calibration images and then tested on others.
struct Exploring {
  let context: PlacingContext
  private let measuring: Measuring
  private let calibration: LabelledImages
  private let values: [ExchangedValue]
  private let model: MaskedModel
  private let fill: ChannelFill

  init(
    context: PlacingContext, measuring: Measuring, calibration: LabelledImages, meanFill: Bool
  ) throws(MartletError) {
    try context.head.requireOneOfMany(for: "martlet explore")
    self.context = context
    self.measuring = measuring
    values = ExchangedValue.all(of: context.graph, context.sharding)
    model = try MaskedModel(batching: context.graph, points: values.map(\.point), largest: 8)
    self.calibration = try calibration.decoded(elements: model.inputCounts[0])
    fill =
      meanFill
      ? .constants(
        try measuring.means(of: model, self.calibration, what: "mean over image"))
      : .zero
  }

  // MARK: Placing

  /// Placements by every method, each once.
  ///
  /// - Parameter scored: the layers with their neurons' scores; nil leaves robustdice out.
  func placements(
    budgets: [Double], scored: [ScoredLayer]?
  ) throws(MartletError) -> PlacementCollection {
    var found = PlacementCollection()
    let traits = context.traits
    let shares = context.shares
    for method in [PartitionMethod.lop, .interleaved] {
      let parts = method.parts(graph: context.graph, sharding: context.sharding, shares: shares)
      found.add(Placed(series: method.rawValue, placements: Placing.single(parts)))
    }
    found.add(
      Placed(series: "cdc", placements: try Placing.parityDevice(traits, shares: shares)))
    let l1 = context.l1
    // What survives all failures but one is what `replicate` gives.
    for tolerating in 1..<max(2, shares.count - 1) {
      found.add(
        Placed(
          series: "coded", name: "coded, tolerates \(tolerating)", tolerate: tolerating,
          placements: try Placing.coded(
            traits, shares: shares, tolerating: tolerating, importance: l1)))
    }
    found.add(Placed(series: "replicate", placements: Placing.replicate(traits, shares: shares)))
    if let scored {
      try addClustered(to: &found, scored, budgets)
    } else {
      found.leaveOut("robustdice", because: "it needs --scores")
    }
    try addBudgets(
      to: &found, budgets,
      try ProtectionTable(
        layers: traits, devices: shares.count, importance: l1, scored: scored,
        common: context.common))
    return found
  }

  private func addClustered(
    to found: inout PlacementCollection, _ layers: [ScoredLayer], _ budgets: [Double]
  ) throws(MartletError) {
    let devices = context.devices.count
    let search = ThresholdSearch(layers, devices: devices, common: context.common)
    let watch = ProgressWatch("robustdice: budget", total: budgets.count)
    for (number, budget) in budgets.enumerated() {
      try measuring.check()
      let name = "robustdice at \(budget.asPlainText)"
      do throws(MartletError) {
        let threshold = try search.find(.copies(budget)).threshold
        found.add(
          Placed(
            series: "robustdice", name: name, budget: budget,
            placements: try Placing.clustered(
              layers, devices: devices, thresholds: layers.map { _ in threshold })))
      } catch  where error.code == .invalidArgument {
        // Groups are padded: a model may need a little more than one copy.
        found.leaveOut(name, because: error.hint ?? error.message)
      }
      watch.show(number + 1)
    }
  }

  private func addBudgets(
    to found: inout PlacementCollection, _ budgets: [Double], _ table: ProtectionTable
  ) throws(MartletError) {
    let planner = try BudgetPlanner(
      table, values: values, fill: fill, model: model, images: calibration,
      threads: measuring.threads,
      plan: {
        [context] placements throws(MartletError) in
        try context.plan(placements, method: "budget")
      },
      progress: measuring.progress(.layers, images: calibration.count),
      isStopped: measuring.isStopped)
    var wanted: [Placed] = []
    var requests: [BudgetPlanner.Request] = []
    for survive in 1..<context.devices.count {
      let series = "budget, survives \(survive)"
      for budget in budgets {
        let bytes = Int(Double(context.modelBytes) * budget)
        let name = "\(series) at \(budget.asPlainText)"
        guard bytes >= table.minimumBytes else {
          found.leaveOut(name, because: "the least is \(table.minimumBytes.asBytes) of weights")
          continue
        }
        wanted.append(
          Placed(series: series, name: name, survive: survive, budget: budget, placements: []))
        requests.append(
          .init(
            weights: FailureWeights.surviving(survive, devices: context.devices.count),
            budget: bytes))
      }
    }
    let outcomes = try planner.plans(
      requests, progress: measuring.progress(.plans, images: calibration.count),
      isStopped: measuring.isStopped)
    for (var placed, outcome) in zip(wanted, outcomes) {
      placed.placements = outcome.placements
      placed.protections = outcome.protections
      placed.agreement = outcome.agreement
      found.add(placed)
    }
  }

  // MARK: Testing

  /// Classifies all images with all placements under all failure sets.
  func study(
    _ placed: [Placed], sets: [[Int]], images: LabelledImages
  ) throws(MartletError) -> [FailureTable] {
    let study = FailureStudy(
      model: model, values: values,
      subjects: placed.map {
        FailureStudy.Subject(
          plan: $0.name, method: $0.series, devices: context.devices.map(\.name),
          placements: $0.placements, sets: sets, fill: fill)
      }, head: context.head)
    return try measuring.run(study, images).tables
  }

  /// The placements with what they cost and what they keep.
  func points(
    _ placed: [Placed], _ tables: [FailureTable]
  ) throws(MartletError) -> [ExplorePoint] {
    let watch = ProgressWatch("cost of placement", total: placed.count)
    var points: [ExplorePoint] = []
    for (placed, table) in zip(placed, tables) {
      try measuring.check()
      let plan = try context.plan(placed.placements, method: placed.series)
      points.append(ExplorePoint(placed, plan, table))
      watch.show(points.count)
    }
    return points
  }
}

extension Double {
  /// As people write it on a command line: `2`, `1.25`.
  fileprivate var asPlainText: String {
    self == rounded() && magnitude < 1e9 ? "\(Int(self))" : "\(self)"
  }
}
