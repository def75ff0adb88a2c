/// A confidence interval for a proportion, such as an accuracy (Wilson 1927, JASA 22, 209-212).
///
/// Unlike the usual plus-minus, it stays within 0 to 1 and is sensible for few trials.
package struct WilsonInterval: Sendable, Equatable {
  /// The lower bound.
  package let lower: Double
  /// The upper bound.
  package let upper: Double

  /// - Parameters:
  ///   - successes: from 0 to `trials`.
  ///   - trials: with none, the interval is 0 to 1.
  ///   - z: the standard normal quantile; 1.96 for 95 %.
  /// - Precondition: `0 <= successes <= trials`.
  package init(successes: Int, trials: Int, z: Double = 1.959963984540054) {
    precondition(successes >= 0 && successes <= trials, "\(successes) of \(trials)")
    guard trials > 0 else {
      (lower, upper) = (0, 1)
      return
    }
    let n = Double(trials)
    let p = Double(successes) / n
    let scale = 1 + z * z / n
    let centre = (p + z * z / (2 * n)) / scale
    let half = z / scale * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
    // Rounding must not exclude the certain ends.
    lower = successes == 0 ? 0 : max(0, centre - half)
    upper = successes == trials ? 1 : min(1, centre + half)
  }
}
