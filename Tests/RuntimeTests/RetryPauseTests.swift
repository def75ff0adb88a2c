import Foundations
import Runtime
import TestSupport
import Testing

@Suite struct RetryPauseTests {
  @Test(arguments: 1...10) func pausesGrowUntilItWorks(_ seed: UInt64) {
    var random = SeededGenerator(seed)
    var pauses = RetryPause()
    var last = Duration.zero
    for attempt in 0..<40 {
      let pause = pauses.next(after: .milliseconds(20), using: &random)
      #expect(pause >= .milliseconds(50) && pause <= RetryPause.longest)
      // Each is drawn from an interval twice as long as the one before.
      if attempt < 5 { #expect(pause >= last) }
      if attempt > 6 { #expect(pause >= RetryPause.longest / 2) }
      last = pause
    }
    #expect(pauses.next(after: RetryPause.calm, using: &random) <= .milliseconds(100))
    #expect(pauses.next(after: .zero, using: &random) <= .milliseconds(200))
  }
}
