import Evaluation
import Foundations
import Plan

/// Measures candidates as whole plans on calibration images, few images first, and drops those that
/// are behind before more are looked at.
struct CandidateTrials {
  /// What one candidate keeps after each number of failures, from 1 on; nil where it was not measured.
  struct Outcome {
    /// The share of answers that stay.
    var agreement: [Double?]
    /// The mean of that and of the confidence that stays, which is less coarse.
    var worth: [Double?]
  }

  private struct Key: Hashable {
    var placements: [LayerPlacement]
    var images: Int
    var failed: [Int]
  }

  private let devices: Int
  private let values: [ExchangedValue]
  private let model: MaskedModel
  private let images: LabelledImages
  private let fill: Plan.Fill
  private let threads: Int
  private let sets: [[Int]]
  /// Requests for different budgets have candidates in common.
  private var known: [Key: MaskEffect] = [:]

  /// Failure sets of one size that are looked at: all of four devices, and of more a choice.
  private static let setsEach = 8
  /// Candidates that see all images.
  private static let finalists = 4
  private static let fewestImages = 16
  /// Numbers of failures that hardly count wait for the last round.
  private static let smallWeight = 0.05

  init(
    devices: Int, values: [ExchangedValue], fill: Plan.Fill, model: MaskedModel,
    images: LabelledImages, threads: Int
  ) throws(MartletError) {
    self.devices = devices
    self.values = values
    self.model = model
    self.images = images
    self.fill = fill
    self.threads = threads
    sets = try LayerDamage.sets(devices: devices, each: Self.setsEach)
  }

  /// The best candidate; of equal ones the first.
  ///
  /// - Parameter weights: how much each number of failures counts, from 1 on.
  mutating func best(
    of candidates: [PlanCandidate], weights: [Double],
    progress: @escaping @Sendable (Int, Int) -> Void, isStopped: @escaping @Sendable () -> Bool
  ) throws(MartletError) -> (PlanCandidate, Outcome) {
    let main = weights.indices.filter { weights[$0] >= Self.smallWeight }.map { $0 + 1 }
    // Beside a plan that loses nothing where it counts, no other has to be looked at.
    let whole = candidates.filter { isWhole($0, sizes: main) }
    var field = whole.isEmpty ? candidates : whole
    func value(_ outcome: Outcome) -> Double {
      zip(outcome.worth, weights).reduce(0) { $0 + ($1.0 ?? 0) * max($1.1, Allocator.leastWeight) }
    }
    for part in [4, 2] where field.count > Self.finalists {
      let count = max(Self.fewestImages, images.count / part)
      guard count < images.count else { continue }
      let outcomes = try measure(
        field, sizes: main, count: count, progress: progress, isStopped: isStopped)
      let order = field.indices.sorted {
        let (a, b) = (value(outcomes[$0]), value(outcomes[$1]))
        return a != b ? a > b : $0 < $1
      }
      let kept = order.prefix(max(Self.finalists, part == 4 ? field.count / 2 : 0)).sorted()
      field = kept.map { field[$0] }
    }
    let outcomes = try measure(
      field, sizes: Array(1..<max(2, devices)), count: images.count, progress: progress,
      isStopped: isStopped)
    let best = field.indices.reduce(0) { value(outcomes[$1]) > value(outcomes[$0]) ? $1 : $0 }
    return (field[best], outcomes[best])
  }

  /// - Parameters:
  ///   - sizes: the numbers of failures to look at.
  ///   - count: how many images, evenly chosen.
  private mutating func measure(
    _ candidates: [PlanCandidate], sizes: [Int], count: Int,
    progress: @escaping @Sendable (Int, Int) -> Void, isStopped: @escaping @Sendable () -> Bool
  ) throws(MartletError) -> [Outcome] {
    let own = sets.filter { sizes.contains($0.count) }
    let keys = candidates.flatMap { candidate in
      own.map { Key(placements: candidate.placements, images: count, failed: $0) }
    }
    let fresh = keys.filter { known[$0] == nil }
    if !fresh.isEmpty {
      let effects = try MaskEffect.of(
        fresh.map { mask($0.placements, $0.failed) }, fill: fill, model: model,
        images: images.thinned(to: count),
        threads: threads, progress: progress, isStopped: isStopped)
      for (key, effect) in zip(fresh, effects) { known[key] = effect }
    }
    return candidates.indices.map { number in
      let effects = keys[number * own.count..<(number + 1) * own.count].compactMap { known[$0] }
      func mean(_ failures: Int, _ value: (MaskEffect) -> Double) -> Double? {
        let some = zip(own, effects).filter { $0.0.count == failures }.map { value($0.1) }
        if some.isEmpty { return devices > 1 ? nil : 1 }
        return some.reduce(0, +) / Double(some.count)
      }
      let all = 1..<max(2, devices)
      return Outcome(
        agreement: all.map { mean($0, \.agreement) },
        worth: all.map { mean($0) { ($0.agreement + 1 - $0.confidenceLoss) / 2 } })
    }
  }

  /// Whether no neuron is lost after so many failures.
  private func isWhole(_ candidate: PlanCandidate, sizes: [Int]) -> Bool {
    sets.filter { sizes.contains($0.count) }.allSatisfy { mask(candidate.placements, $0).isEmpty }
  }

  private func mask(_ placements: [LayerPlacement], _ failed: [Int]) -> Mask {
    let alive = (0..<devices).map { !failed.contains($0) }
    return Mask(
      lost: values.map {
        placements[$0.layer].lostNeurons(alive: alive, isBehindFilters: $0.isBehindFilters)
      })
  }
}
