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
    ] as [(UInt64, Int, Int, Int)])
  func timeAway(passed: UInt64, asleep: Int, busy: Int, away: Int) {
    var attention = Attention(now: time(50), processor: .nanoseconds(7))
    let first = attention.away(
      now: time(50 + passed), asleep: .milliseconds(asleep),
      processor: .nanoseconds(7) + .milliseconds(busy))
    #expect(first == .milliseconds(away))
    let second = attention.away(
      now: time(51 + passed), asleep: .milliseconds(1),
      processor: .nanoseconds(7) + .milliseconds(busy))
    #expect(second == .zero)
  }
}
