import Glibc

/// A distribution over classes, given by logits.
struct Distribution: Sendable {
  /// Logarithms of the probabilities.
  private(set) var logarithms: [Double]

  init(logits: some Collection<Float>) {
    logarithms = logits.map(Double.init)
    let top = logarithms.max() ?? 0
    let sum = logarithms.reduce(0) { $0 + exp($1 - top) }
    let shift = top + log(sum)
    for index in logarithms.indices { logarithms[index] -= shift }
  }

  /// The Jensen-Shannon divergence from another distribution over the same classes, in nats: between
  /// 0 and ln 2.
  ///
  /// With p = s (1 - d) and q = s (1 + d) a class adds s/2 ((1 - d) ln(1 - d) + (1 + d) ln(1 + d)),
  /// and d = tanh((ln q - ln p) / 2): nothing cancels however close the two are.
  func divergence(from other: Distribution) -> Double {
    var sum = 0.0
    for (p, q) in zip(logarithms, other.logarithms) where p != q {
      let d = tanh((q - p) / 2)
      let middle = (exp(p) + exp(q)) / 2
      sum += middle * Self.gap(d)
    }
    return sum / 2
  }

  private static func gap(_ d: Double) -> Double {
    let square = d * d
    if square < 1e-4 { return square * (1 + square * (1.0 / 6 + square * (1.0 / 15))) }
    guard square < 1 else { return 2 * M_LN2 }
    return (1 - d) * log1p(-d) + (1 + d) * log1p(d)
  }
}
