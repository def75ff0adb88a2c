public import Evaluation
import Partitioning
public import Plan
public import TensorCore

/// Finds the protection of every layer for a budget: measures what each layer's loss does, allocates,
/// and then measures the best candidates as whole plans.
public struct BudgetPlanner: Sendable {
  /// What a plan was chosen to be.
  public struct Outcome: Sendable {
    /// By layer.
    public var placements: [LayerPlacement]
    /// By layer.
    public var protections: [Protection]
    /// Bytes of weights, all devices together.
    public var bytes: Int
    /// On calibration images, by number of failures from 1 on: the share of answers that stay.
    public var agreement: [Double]
  }

  /// What a plan is to be chosen for.
  public struct Request: Sendable, Hashable {
    /// How much each number of failures counts, from 1 on.
    public var weights: [Double]
    /// Bytes of weights, all devices together.
    public var budget: Int

    /// Makes a request.
    public init(weights: [Double], budget: Int) {
      self.weights = weights
      self.budget = budget
    }
  }

  /// Where the work is, for a line of progress.
  public enum Phase: String, Sendable {
    /// Each layer alone.
    case layers
    /// Candidates as whole plans.
    case plans
  }

  /// How many candidates are measured as whole plans.
  private static let candidates = 6

  private let table: ProtectionTable
  private let values: [ExchangedValue]
  private let model: MaskedModel
  private let images: LabelledImages
  private let fill: ChannelFill
  private let threads: Int
  private let damage: LayerDamage
  private let allocator: Allocator

  /// Measures the layers; then `plan` can be asked for any number of budgets.
  ///
  /// - Throws: what `LayerDamage.measure` throws.
  public init(
    _ table: ProtectionTable, values: [ExchangedValue], fill: ChannelFill, model: MaskedModel,
    images: LabelledImages, threads: Int = 1,
    progress: @escaping @Sendable (Phase, Int, Int) -> Void = { _, _, _ in },
    isStopped: @escaping @Sendable () -> Bool = { false }
  ) throws(MartletError) {
    self.table = table
    self.values = values
    self.model = model
    self.images = images
    self.fill = fill
    self.threads = threads
    damage = try LayerDamage.measure(
      table, values: values, fill: fill, model: model, images: images, threads: threads,
      progress: { progress(.layers, $0, $1) }, isStopped: isStopped)
    allocator = Allocator(bytes: table.options.map { $0.map(\.bytes) }, damage: damage)
  }

  /// The best plan found within a budget.
  ///
  /// - Parameters:
  ///   - weights: how much each number of failures counts, from 1 on.
  ///   - budget: bytes of weights, all devices together.
  /// - Throws: `invalidArgument` with the least possible if the budget is below it; `cancelled`.
  public func plan(
    weights: [Double], budget: Int,
    progress: @escaping @Sendable (Phase, Int, Int) -> Void = { _, _, _ in },
    isStopped: @escaping @Sendable () -> Bool = { false }
  ) throws(MartletError) -> Outcome {
    try plans(
      [Request(weights: weights, budget: budget)], progress: progress, isStopped: isStopped)[0]
  }

  /// The best plans found for several requests, whose candidates are measured together: what they
  /// have in common is computed once.
  ///
  /// - Throws: `invalidArgument` with the least possible if a budget is below it; `cancelled`.
  public func plans(
    _ requests: [Request],
    progress: @escaping @Sendable (Phase, Int, Int) -> Void = { _, _, _ in },
    isStopped: @escaping @Sendable () -> Bool = { false }
  ) throws(MartletError) -> [Outcome] {
    var choices: [[Int]] = []
    var numbers: [[Int]: Int] = [:]
    let wanted = try requests.map { request throws(MartletError) in
      try candidates(for: request).map { choice in
        if numbers[choice] == nil {
          numbers[choice] = choices.count
          choices.append(choice)
        }
        return numbers[choice]!
      }
    }
    let agreement = try measure(choices, progress: progress, isStopped: isStopped)
    return zip(requests, wanted).map { request, wanted in
      func value(_ number: Int) -> Double {
        zip(agreement[number], request.weights).reduce(0) { $0 + $1.0 * $1.1 }
      }
      // Of equal ones the first: it came first as far as the product tells.
      let best = wanted.reduce(wanted[0]) { value($1) > value($0) ? $1 : $0 }
      return Outcome(
        placements: table.placements(choices[best]),
        protections: zip(table.options, choices[best]).map { $0[$1].protection },
        bytes: table.bytes(choices[best]), agreement: agreement[best])
    }
  }

  private func candidates(for request: Request) throws(MartletError) -> [[Int]] {
    let choices = allocator.choices(weights: request.weights, budget: request.budget)
    guard !choices.isEmpty else {
      throw MartletError(
        .invalidArgument, "the budget is below what one copy of the model takes",
        context: [
          "budget": "\(request.budget) bytes on all devices together",
          "minimum": "\(table.minimumBytes) bytes",
        ], hint: "allow at least the minimum")
    }
    return Array(choices.prefix(BudgetPlanner.candidates))
  }

  /// The share of answers that stay, by choice and number of failures less one.
  private func measure(
    _ choices: [[Int]], progress: @escaping @Sendable (Phase, Int, Int) -> Void,
    isStopped: @escaping @Sendable () -> Bool
  ) throws(MartletError) -> [[Double]] {
    let sets = try LayerDamage.sets(devices: table.devices, each: 4)
    let masks = choices.flatMap { choice in
      let placements = table.placements(choice)
      return sets.map { mask(placements, failed: $0) }
    }
    let effects =
      masks.isEmpty
      ? []
      : try MaskEffect.of(
        masks, fill: fill, model: model, images: images, threads: threads,
        progress: { progress(.plans, $0, $1) }, isStopped: isStopped)
    return choices.indices.map { number in
      let own = effects.isEmpty ? [] : effects[number * sets.count..<(number + 1) * sets.count]
      return (1..<max(2, table.devices)).map { failures in
        let some = zip(sets, own).filter { $0.0.count == failures }.map(\.1.agreement)
        return some.isEmpty ? 1 : some.reduce(0, +) / Double(some.count)
      }
    }
  }

  private func mask(_ placements: [LayerPlacement], failed: [Int]) -> Mask {
    let alive = (0..<table.devices).map { !failed.contains($0) }
    return Mask(
      lost: values.map {
        placements[$0.layer].lostNeurons(alive: alive, isBehindFilters: $0.isBehindFilters)
      })
  }
}
