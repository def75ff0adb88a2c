package import Evaluation
package import Foundations
package import Plan

/// Finds the protection of every layer for a budget: measures what each layer's loss does, allocates,
/// and then measures the best candidates as whole plans, with all plans of one protection throughout
/// beside them, so that none of those is better on the calibration images.
package struct BudgetPlanner: Sendable {
  /// What a plan was chosen to be.
  package struct Outcome: Sendable {
    /// By layer.
    package var placements: [LayerPlacement]
    /// What each layer's is called, by layer.
    package var protections: [String]
    /// Bytes of weights, all devices together.
    package var bytes: Int
    /// On calibration images, by number of failures from 1 on: the share of answers that stay.
    package var agreement: [Double]
  }

  /// What a plan is to be chosen for.
  package struct Request: Sendable, Hashable {
    /// How much each number of failures counts, from 1 on.
    package var weights: [Double]
    /// Bytes of weights, all devices together.
    package var budget: Int
    /// What no device may exceed.
    package var limits: DeviceLimits

    /// Makes a request.
    package init(weights: [Double], budget: Int, limits: DeviceLimits = DeviceLimits()) {
      self.weights = weights
      self.budget = budget
      self.limits = limits
    }
  }

  /// Where the work is, for a line of progress.
  package enum Phase: String, Sendable {
    /// Each layer alone.
    case layers
    /// Candidates as whole plans.
    case plans
  }

  /// How many allocations are measured as whole plans.
  private static let allocations = 6
  /// How many images show what each layer's loss does.
  private static let imagesForLayers = 16

  /// How many calibration images there are.
  let images: Int
  private let table: ProtectionTable
  private let allocator: Allocator
  private let trials: CandidateTrials
  private let plan: @Sendable ([LayerPlacement]) throws(MartletError) -> Plan

  /// Measures the layers; then `plans` can be asked for any number of budgets.
  ///
  /// - Parameters:
  ///   - model: with points at `values`.
  ///   - images: calibration images; their labels are not used.
  ///   - plan: makes a plan of placements, to find out what devices compute and send.
  /// - Throws: what `LayerDamage.measure` throws.
  package init(
    _ table: ProtectionTable, values: [ExchangedValue], fill: Plan.Fill, model: MaskedModel,
    images: LabelledImages, threads: Int = 1,
    plan: @escaping @Sendable ([LayerPlacement]) throws(MartletError) -> Plan,
    progress: @escaping @Sendable (Phase, Int, Int) -> Void = { _, _, _ in },
    isStopped: @escaping @Sendable () -> Bool = { false }
  ) throws(MartletError) {
    self.table = table
    self.images = images.count
    self.plan = plan
    let damage = try LayerDamage.measure(
      table, values: values, fill: fill, model: model,
      images: images.thinned(to: BudgetPlanner.imagesForLayers), threads: threads,
      progress: { progress(.layers, $0, $1) }, isStopped: isStopped)
    allocator = Allocator(
      bytes: table.options.map { $0.map(\.bytes) }, losses: try damage.losses(of: table))
    trials = try CandidateTrials(
      devices: table.devices, values: values, fill: fill, model: model, images: images,
      threads: threads)
  }

  /// The best plans found for several requests, whose candidates are measured once where they are
  /// the same.
  ///
  /// - Throws: `invalidArgument` with the least possible if a budget or limit is below it;
  ///   `cancelled`.
  package func plans(
    _ requests: [Request],
    progress: @escaping @Sendable (Phase, Int, Int) -> Void = { _, _, _ in },
    isStopped: @escaping @Sendable () -> Bool = { false }
  ) throws(MartletError) -> [Outcome] {
    var trials = trials
    return try requests.map { request throws(MartletError) in
      let candidates = try candidates(for: request)
      let (best, outcome) = try trials.best(
        of: candidates, weights: request.weights, progress: { progress(.plans, $0, $1) },
        isStopped: isStopped)
      return Outcome(
        placements: best.placements, protections: best.protections, bytes: best.bytes,
        agreement: outcome.agreement.compactMap { $0 })
    }
  }

  /// Different plans within budget and limits: those of one protection first, cheapest first, so that
  /// of equal ones the simplest is chosen.
  private func candidates(for request: Request) throws(MartletError) -> [PlanCandidate] {
    var seen: Set<[LayerPlacement]> = []
    var different: [PlanCandidate] = []
    var fitting: [PlanCandidate] = []
    func take(_ candidates: some Sequence<PlanCandidate>) throws(MartletError) {
      for candidate in candidates where seen.insert(candidate.placements).inserted {
        different.append(candidate)
        guard candidate.fits(request) else { continue }
        let counted = candidate.counted(in: try plan(candidate.placements))
        if counted.fits(request) { fitting.append(counted) }
      }
    }
    try take(table.uniform(budget: request.budget))
    let simple = fitting.count
    // The allocator knows the sum over layers of all devices together only. Devices differ a little,
    // and hold a little more: so it is also asked for less.
    for part in [1, 0.98, 0.95] {
      guard fitting.count == simple || request.limits.weightBytes != nil else { break }
      let budget = Int(Double(request.budget) * part) - table.commonBytes
      try take(
        allocator.choices(weights: request.weights, budget: budget)
          .prefix(BudgetPlanner.allocations).map { table.candidate($0) })
    }
    guard !fitting.isEmpty else { throw tooSmall(request, different) }
    guard request.limits.needPrograms else { return fitting }
    var allowed: [PlanCandidate] = []
    var loads: [DeviceLimits.Load] = []
    for candidate in fitting {
      let load = try request.limits.load(of: try plan(candidate.placements))
      loads.append(load)
      if request.limits.allow(load) { allowed.append(candidate) }
    }
    guard !allowed.isEmpty else { throw tooBusy(request, loads) }
    return allowed
  }

  private func tooSmall(_ request: Request, _ candidates: [PlanCandidate]) -> MartletError {
    if let limit = request.limits.weightBytes {
      let least = candidates.map(\.largest).min() ?? 0
      return MartletError(
        .invalidArgument, "\(limit) bytes of weights on a device are too few for the model",
        context: ["minimum": "\(least) bytes", "devices": "\(table.devices)"],
        hint: "allow at least the minimum, or add devices")
    }
    return MartletError(
      .invalidArgument, "the budget is below what one copy of the model takes",
      context: [
        "budget": "\(request.budget) bytes on all devices together",
        "minimum": "\(table.minimumBytes) bytes",
      ], hint: "allow at least the minimum")
  }

  private func tooBusy(_ request: Request, _ loads: [DeviceLimits.Load]) -> MartletError {
    func text(_ limit: Int?) -> String { limit.map { "\($0)" } ?? "any" }
    return MartletError(
      .invalidArgument, "no plan within the budget keeps every device within its limits",
      context: [
        "missing devices": "up to \(request.limits.failures)",
        "multiply-adds": text(request.limits.multiplyAdds),
        "minimum of multiply-adds": "\(loads.map(\.multiplyAdds).min() ?? 0)",
        "bytes of traffic": text(request.limits.traffic),
        "minimum of traffic": "\(loads.map(\.traffic).min() ?? 0) bytes",
      ], hint: "allow at least the minimum, or add devices")
  }
}
