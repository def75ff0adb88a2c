import Engine
import Foundations
import Testing

@Suite struct AttentionTests {
  private func time(_ milliseconds: UInt64) -> MonotonicTime {
    MonotonicTime(nanoseconds: milliseconds * 1_000_000)
  }

  /// Sleeping and computing are accounted for; the rest is time away, unless it is short.
  @Test(
    arguments: [
      (100, 60, 40, 0), (100, 0, 100, 0), (100, 100, 0, 0), (100, 60, 36, 0), (100, 60, 30, 10),
      (10_000, 20, 5, 9975), (5, 10, 10, 0),
    ] as [(UInt64, UInt64, UInt64, UInt64)])
  func timeAway(passed: UInt64, asleep: UInt64, busy: UInt64, away: UInt64) {
    var attention = Attention(now: time(50), processor: 7)
    let first = attention.away(
      now: time(50 + passed), asleep: asleep * 1_000_000, processor: 7 + busy * 1_000_000)
    #expect(first == away * 1_000_000)
    let second = attention.away(
      now: time(51 + passed), asleep: 1_000_000, processor: 7 + busy * 1_000_000)
    #expect(second == 0)
  }
}
