import Engine
import Foundations
import Testing

@Suite struct FrameProgressTests {
  private func at(_ seconds: UInt64) -> MonotonicTime {
    MonotonicTime.zero.adding(milliseconds: 1000 * seconds)
  }

  @Test func aFrameLivesAsLongAsSomethingMoves() {
    let progress = FrameProgress(at: at(10), moved: 500)
    #expect(progress.stillSince(moved: 500, movement: nil) == at(10))
    // Before it began.
    #expect(progress.stillSince(moved: 500, movement: at(9)) == at(10))
    #expect(progress.stillSince(moved: 501, movement: at(40)) == at(40))
    // For somebody else.
    #expect(progress.stillSince(moved: 501, movement: nil) == at(10))
  }

  /// Each attempt moves the input again, and nothing else.
  @Test func whatEveryAttemptMovesIsNoProgress() {
    var progress = FrameProgress(at: at(0), moved: 0)
    var moved: UInt64 = 0
    for attempt in 0..<10 as Range<UInt64> {
      moved += 100
      let still = progress.stillSince(moved: moved, movement: at(5 * attempt))
      #expect(still == at(0), "attempt \(attempt)")
      progress.begins(moved: moved, movement: at(5 * attempt))
    }
    // One that comes further is waited for.
    #expect(progress.stillSince(moved: moved + 101, movement: at(60)) == at(60))
    progress.begins(moved: moved + 101, movement: at(60))
    #expect(progress.stillSince(moved: moved + 101, movement: at(60)) == at(60))
  }
}
