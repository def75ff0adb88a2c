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
    let choices = Array(
      allocator.choices(weights: weights, budget: budget).prefix(BudgetPlanner.candidates))
    guard !choices.isEmpty else {
      throw MartletError(
        .invalidArgument, "the budget is below what one copy of the model takes",
        context: [
          "budget": "\(budget) bytes on all devices together",
          "minimum": "\(table.minimumBytes) bytes",
        ], hint: "allow at least the minimum")
    }
    let sets = try LayerDamage.sets(devices: table.devices, each: 4)
    let masks = choices.flatMap { choice in
      sets.map { mask(table.placements(choice), failed: $0) }
    }
    let effects =
      masks.isEmpty
      ? []
      : try MaskEffect.of(
        masks, fill: fill, model: model, images: images, threads: threads,
        progress: { progress(.plans, $0, $1) }, isStopped: isStopped)
    var best: (value: Double, outcome: Outcome)?
    for (number, choice) in choices.enumerated() {
      let own = effects.isEmpty ? [] : effects[number * sets.count..<(number + 1) * sets.count]
      let agreement = (1..<max(2, table.devices)).map { failures in
        let some = zip(sets, own).filter { $0.0.count == failures }.map(\.1.agreement)
        return some.isEmpty ? 1 : some.reduce(0, +) / Double(some.count)
      }
      let value = zip(agreement, weights).reduce(0) { $0 + $1.0 * $1.1 }
      guard value > best?.value ?? -1 else { continue }
      best = (
        value,
        Outcome(
          placements: table.placements(choice),
          protections: zip(table.options, choice).map { $0[$1].protection },
          bytes: table.bytes(choice), agreement: agreement)
      )
    }
    guard let best else { preconditionFailure("there is at least one choice") }
    return best.outcome
  }

  private func mask(_ placements: [LayerPlacement], failed: [Int]) -> Mask {
    let alive = (0..<table.devices).map { !failed.contains($0) }
    return Mask(
      lost: values.map {
        placements[$0.layer].lostNeurons(alive: alive, isBehindFilters: $0.isBehindFilters)
      })
  }
}
