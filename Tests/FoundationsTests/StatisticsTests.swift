import Foundations
import Testing

@Suite struct StatisticsTests {
  @Test func quantilesAreExact() {
    var quantiles = Quantiles()
    #expect(quantiles.p50 == nil && quantiles.mean == nil && quantiles.maximum == nil)
    for value in (1...100).reversed() { quantiles.add(Double(value)) }
    quantiles.add(.nan)
    #expect(quantiles.count == 100)
    #expect(quantiles.p50 == 50 && quantiles.p90 == 90 && quantiles.p99 == 99)
    #expect(quantiles.quantile(0) == 1 && quantiles.quantile(1) == 100)
    #expect(quantiles.quantile(-3) == 1 && quantiles.quantile(7) == 100)
    #expect(quantiles.quantile(.nan) == nil)
    #expect(quantiles.mean == 50.5 && quantiles.maximum == 100)
  }

  @Test func onlyTheLastSamplesAreKept() {
    var quantiles = Quantiles(capacity: 3)
    for value in [100.0, 200, 1, 2, 3] { quantiles.add(value) }
    #expect(quantiles.count == 5)
    #expect(quantiles.quantiles([0, 0.5, 1]) == [1, 2, 3])
  }

  @Test func wilsonAgreesWithKnownValues() {
    // Computed from the formula in another language.
    let middle = WilsonInterval(successes: 8, trials: 10)
    #expect(abs(middle.lower - 0.490162) < 1e-6 && abs(middle.upper - 0.943318) < 1e-6)
    let all = WilsonInterval(successes: 500, trials: 500)
    #expect(abs(all.lower - 0.992376) < 1e-6 && all.upper == 1)
    let none = WilsonInterval(successes: 0, trials: 0)
    #expect(none.lower == 0 && none.upper == 1)
    for trials in 1...40 {
      for successes in 0...trials {
        let interval = WilsonInterval(successes: successes, trials: trials)
        let share = Double(successes) / Double(trials)
        #expect(interval.lower <= share && share <= interval.upper)
      }
    }
  }
}
