import Evaluation
import Foundations
import Plan
import Tables

/// For each layer the protection that pays most, within a budget of weights.
struct BudgetMethod: PlanningMethod {
  let name = "budget"
  let summary = "for each layer what pays most within --copies or --memory"
  let abilities = MethodAbilities(takesShares: false, needsImages: true)
  let options: [any MethodOptionFacts] =
    [
      SharedOptions.copies, SharedOptions.memory, BudgetMethod.multiplyAdds, BudgetMethod.traffic,
      BudgetMethod.limits, BudgetMethod.survive, BudgetMethod.reliability,
    ] + SharedOptions.importanceOptions

  /// The most multiply-adds of a device.
  static let multiplyAdds = MethodOption<Int>(
    "multiply-adds", .amount, help: "at most so many multiply-adds a frame on a device, as 30M.")

  /// The most traffic of a device.
  static let traffic = MethodOption<Int>(
    "traffic", .bytes, help: "at most so much sent and received a frame by a device, as 200kB.")

  /// When these have to hold.
  static let limits = MethodOption<Limits>(
    "limits", .choice("when"), standard: Limits.failures.rawValue,
    help: """
      when --multiply-adds and --traffic have to hold: healthy, while all devices are there, or \
      failures, also while up to --survive are missing.
      """)

  /// How many failures to prepare for.
  static let survive = MethodOption<Int>(
    "survive", .integer(from: 1), group: "goal",
    help: "after how many failures most answers should stay; fewer count a tenth each; 1.")

  /// How likely each device is to be there.
  static let reliability = MethodOption<[Double]>(
    "reliability", .probabilities, group: "goal",
    help: "instead, survival probability of each device, by commas, or one for all.")

  /// When limits of a device have to hold.
  enum Limits: String, Sendable, CaseIterable {
    case healthy, failures
  }

  func place(_ request: PlacementRequest) throws(MartletError) -> PlacementResult {
    // What cannot be is said before anything is measured.
    _ = try wish(request)
    let planner = try planner(try table(request), request)
    return try results([request], planner)[0]
  }

  /// Every way to protect every layer.
  private func table(_ request: PlacementRequest) throws(MartletError) -> ProtectionTable {
    try ProtectionTable(
      layers: request.layers, devices: request.devices, importance: request.context.l1,
      scored: request.choices.isGiven(SharedOptions.scores.name)
        ? try RobustDiCEMethod.scoredLayers(request) : nil,
      common: request.context.common, methods: request.methods)
  }

  /// Measures the layers.
  private func planner(
    _ table: ProtectionTable, _ request: PlacementRequest
  ) throws(MartletError) -> BudgetPlanner {
    let calibrated = try request.calibration()
    let measuring = request.measuring
    return try BudgetPlanner(
      table, values: calibrated.values, fill: calibrated.fill, model: calibrated.model,
      images: calibrated.images, threads: measuring.threads,
      plan: {
        [context = request.context, name] placements throws(MartletError) in
        try context.plan(placements, method: name)
      },
      progress: measuring.progress(.layers, images: calibrated.images.count),
      isStopped: measuring.isStopped)
  }

  /// What the choices ask for.
  private func wish(_ request: PlacementRequest) throws(MartletError) -> BudgetPlanner.Request {
    let (choices, devices) = (request.choices, request.devices)
    try request.context.model.head?.requireOneOfMany(for: "--method budget")
    if let survive = choices[Self.survive], survive >= devices {
      throw MartletError(
        .invalidArgument,
        "\(devices) device\(devices == 1 ? "" : "s") cannot survive \(survive) failures",
        hint: devices > 1
          ? "nobody would be left to answer: --survive 1 to \(devices - 1)"
          : "nobody would be left to answer: give more --devices")
    }
    let survive = choices[Self.survive] ?? 1
    let memory = choices[SharedOptions.memory]
    return BudgetPlanner.Request(
      weights: try reliabilities(choices, devices: devices)
        .map { FailureWeights.reliabilities($0) }
        ?? FailureWeights.surviving(survive, devices: devices),
      budget: memory.map { $0 * devices } ?? Self.bytes(request),
      limits: DeviceLimits(
        weightBytes: memory, multiplyAdds: choices[Self.multiplyAdds],
        traffic: choices[Self.traffic],
        failures: choices[Self.limits] == .healthy ? 0 : min(survive, devices - 1)))
  }

  /// The bytes that `--copies` allows.
  private static func bytes(_ request: PlacementRequest) -> Int {
    Int(Double(request.context.modelBytes) * (request.choices[SharedOptions.copies] ?? 2))
  }

  /// One probability for each device.
  private func reliabilities(
    _ choices: MethodChoices, devices: Int
  ) throws(MartletError) -> [Double]? {
    guard let values = choices[Self.reliability], values.count != devices else {
      return choices[Self.reliability]
    }
    guard values.count == 1 else {
      throw MartletError(
        .invalidArgument, "--reliability takes \(devices) probabilities, or one for all")
    }
    return Array(repeating: values[0], count: devices)
  }

  /// What is found for requests that differ in their choices only.
  private func results(
    _ requests: [PlacementRequest], _ planner: BudgetPlanner
  ) throws(MartletError) -> [PlacementResult] {
    guard let first = requests.first else { return [] }
    let outcomes = try planner.plans(
      try requests.map { request throws(MartletError) in try wish(request) },
      progress: first.measuring.progress(.plans, images: planner.images),
      isStopped: first.measuring.isStopped)
    return zip(requests, outcomes).map { request, outcome in
      let cost = request.context.cost(of: outcome.placements)
      let goal =
        request.choices.text(Self.reliability).map { "reliability \($0)" }
        ?? "survives \(request.choices[Self.survive] ?? 1)"
      return PlacementResult(
        placements: outcome.placements,
        description: "\(name) \(cost.copies().formatted(2)) copies, \(goal)",
        protections: outcome.protections, agreement: outcome.agreement)
    }
  }

  // MARK: Comparing

  func variants(devices: Int, budgets: [Double]) -> [MethodVariant] {
    (1..<max(2, devices)).flatMap { survive in
      budgets.map { budget in
        let series = "\(name), survives \(survive)"
        return MethodVariant(
          series, name: "\(series) at \(budget.asPlainText)",
          options: [
            Self.survive.name: "\(survive)", SharedOptions.copies.name: "\(budget)",
          ], budget: budget)
      }
    }
  }

  /// The layers are measured once.
  func place(
    _ variants: [MethodVariant], _ request: PlacementRequest
  ) throws(MartletError) -> [VariantOutcome] {
    let table = try table(request)
    let planner = try planner(table, request)
    var affordable: [PlacementRequest] = []
    var outcomes: [VariantOutcome?] = []
    for variant in variants {
      let own = try request.adding(variant.options, for: self)
      if Self.bytes(own) < table.minimumBytes {
        outcomes.append(.leftOut("the least is \(table.minimumBytes.asBytes) of weights"))
      } else {
        affordable.append(own)
        outcomes.append(nil)
      }
    }
    var found = try results(affordable, planner)[...]
    return outcomes.map { $0 ?? .placed(found.removeFirst()) }
  }
}
