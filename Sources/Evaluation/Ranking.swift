import Glibc
import Plan

/// A model's scores for one input, read as a classification.
struct Ranking: Sendable, Equatable {
  /// The class with the highest score.
  var label: Int
  /// How sure that is, 0 to 1.
  var confidence: Double
  /// How many classes stand before the right one.
  var rankOfTruth: Int

  /// Ranks one input's output as the client does: of equal scores the lower class wins, and NaN comes
  /// last.
  ///
  /// - Parameter head: one that has an accuracy.
  init(_ output: UnsafeBufferPointer<Float>, head: Head, truth: Int) {
    guard head.task == .binary else {
      self.init(scores: output, kind: head.scores, truth: truth)
      return
    }
    let both = head.probabilities(of: Array(output)).map { Float($0) }
    self = both.withUnsafeBufferPointer {
      Ranking(scores: $0, kind: .probabilities, truth: truth)
    }
  }

  private init(scores: UnsafeBufferPointer<Float>, kind: Head.Scores, truth: Int) {
    func key(_ index: Int) -> Float { scores[index].isNaN ? -.infinity : scores[index] }
    var best = 0
    var before = 0
    let own = key(truth)
    for index in scores.indices {
      let score = key(index)
      if score > key(best) { best = index }
      if score > own || (score == own && index < truth) { before += 1 }
    }
    label = best
    rankOfTruth = before
    let sum = scores.reduce(0) { $0 + Double($1) }
    let share: Double
    let isDistribution = abs(sum - 1) < 1e-3 && scores.allSatisfy { $0 >= 0 }
    if kind == .probabilities || (kind == .either && isDistribution) {
      share = Double(scores[best])
    } else {
      let peak = Double(scores[best])
      share = 1 / scores.reduce(0) { $0 + exp(Double($1) - peak) }
    }
    confidence = share.isFinite ? min(max(share, 0), 1) : 0
  }
}
