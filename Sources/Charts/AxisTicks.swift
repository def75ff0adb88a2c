/// The values at which an axis is marked.
struct AxisTicks {
  /// Ascending; the first is at most the smallest value to show, the last at least the largest.
  let values: [Double]

  /// For an axis from zero.
  ///
  /// - Parameter maximum: the largest value to show; other numbers than positive ones count as 1.
  init(maximum: Double) {
    let maximum = maximum.isFinite && maximum > 0 ? maximum : 1
    self.init(step: AxisTicks.step(for: maximum), from: 0, to: maximum)
  }

  /// For an axis that begins near the smallest value; one value alone gets an axis from zero.
  init(from minimum: Double, to maximum: Double) {
    guard minimum.isFinite, maximum.isFinite, maximum > minimum else {
      self.init(maximum: maximum)
      return
    }
    self.init(step: AxisTicks.step(for: maximum - minimum), from: minimum, to: maximum)
  }

  private init(step: Double, from minimum: Double, to maximum: Double) {
    let first = Int((minimum / step + 1e-9).rounded(.down))
    let last = Int((maximum / step - 1e-9).rounded(.up))
    values = (first...max(first + 1, last)).map { Double($0) * step }
  }

  /// Five to ten steps of 1, 2 or 5 times a power of ten.
  private static func step(for span: Double) -> Double {
    var step = 1.0
    while step * 10 <= span { step *= 10 }
    while step > span { step /= 10 }
    if span / step < 2 { return step / 5 }
    return span / step < 5 ? step / 2 : step
  }
}
