import Foundations

/// How far the computation of one score is.
package struct ScoringProgress: Sendable {
  /// Which score.
  package var score: ImportanceScores.Score
  /// The node that is being scored; empty for scores of all nodes at once.
  package var layer: String
  /// Between 0 and 1, by arithmetic and not by neurons.
  package var fraction: Double
  /// An estimate from the pace so far; nil before there is any.
  package var secondsLeft: Double?
}

/// Turns work done into progress.
struct Pace {
  let total: Double
  /// Work that was done before the clock started.
  let before: Double
  private let start = MonotonicTime.now()

  init(total: Double, before: Double = 0) {
    self.total = max(total, 1)
    self.before = before
  }

  func progress(
    _ score: ImportanceScores.Score, layer: String = "", done: Double
  ) -> ScoringProgress {
    let seconds = Double(MonotonicTime.now().nanoseconds(since: start)) * 1e-9
    let fresh = done - before
    return ScoringProgress(
      score: score, layer: layer, fraction: min(done / total, 1),
      secondsLeft: fresh > 0 && seconds > 0 ? max(total - done, 0) * seconds / fresh : nil)
  }
}
