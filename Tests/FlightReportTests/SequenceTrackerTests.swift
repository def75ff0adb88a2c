import FlightReport
import Foundations
import Testing

@Suite struct SequenceTrackerTests {
  @Test(arguments: [
    // numbers, used, missing, repeated, reordered
    ([1, 2, 3], [true, true, true], 0, 0, 0),
    ([1, 2, 2, 3], [true, true, false, true], 0, 1, 0),
    ([1, 4, 3], [true, true, true], 1, 0, 1),
    ([5, 3, 5, 4], [true, true, false, true], 0, 1, 2),
    ([1, 2000, 2], [true, true, false], 1998, 1, 0),
    ([7], [true], 0, 0, 0),
  ])
  func numbers(
    _ numbers: [UInt64], used: [Bool], missing: Int, repeated: Int, reordered: Int
  ) {
    var tracker = SequenceTracker()
    let result = numbers.map { tracker.insert($0) }
    #expect(result == used)
    #expect(tracker.missing == missing)
    #expect(tracker.repeated == repeated)
    #expect(tracker.reordered == reordered)
  }

  @Test func aNumberFromNowhereDoesNotSilenceWhatFollows() {
    var tracker = SequenceTracker()
    let used = [10, 1 << 52, 11].map { tracker.insert($0) }
    #expect(used == [true, false, true])
    #expect(tracker.implausible == 1 && tracker.missing == 0)
  }

  /// Against a set that remembers everything, within the window.
  @Test func shufflesAgreeWithASet() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    for _ in 0..<50 {
      var tracker = SequenceTracker()
      var seen: Set<UInt64> = []
      var numbers = (0..<600).map { UInt64($0) }.filter { _ in
        Int.random(in: 0..<10, using: &random) > 0
      }
      numbers += numbers.filter { _ in Int.random(in: 0..<8, using: &random) == 0 }
      for number in numbers.shuffled(using: &random) {
        let (isUsed, isNew) = (tracker.insert(number), seen.insert(number).inserted)
        #expect(isUsed == isNew, "seed \(seed)")
      }
      let span = Int((seen.max() ?? 0) - (seen.min() ?? 0)) + 1
      #expect(tracker.missing == span - seen.count, "seed \(seed)")
    }
  }
}

@Suite struct LatencyHistogramTests {
  @Test func quantilesAreWithinOnePercent() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    var histogram = LatencyHistogram()
    let latencies = (0..<5000).map { _ in
      Double.random(in: 0.2...2, using: &random) * Double.random(in: 1...300, using: &random)
    }
    for latency in latencies { histogram.add(latency) }
    let sorted = latencies.sorted()
    let fractions = [0.01, 0.5, 0.9, 0.99, 1]
    for (fraction, value) in zip(fractions, histogram.quantiles(fractions)) {
      let exact = sorted[max(0, Int((fraction * 5000).rounded(.up)) - 1)]
      #expect(abs(value - exact) <= 0.01 * exact, "seed \(seed): \(fraction)")
    }
    #expect(histogram.maximum == sorted.last)
    #expect(abs((histogram.mean ?? 0) - latencies.reduce(0, +) / 5000) < 1e-6)
  }

  @Test func whatIsNoLatencyIsPassedOver() {
    var histogram = LatencyHistogram()
    #expect(histogram.quantiles([0.5]).isEmpty && histogram.mean == nil)
    for value in [-1, .nan, .infinity] { histogram.add(value) }
    #expect(histogram.count == 0)
    histogram.add(0)
    #expect(histogram.quantiles([0.5, 1]) == [0, 0])
  }
}
