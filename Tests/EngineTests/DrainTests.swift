import Engine
import Foundations
import Testing

@Suite struct DrainTests {
  private func time(_ milliseconds: UInt64) -> MonotonicTime {
    MonotonicTime.zero.adding(milliseconds: milliseconds)
  }

  @Test func endsWhenItIsQuiet() {
    let drain = Drain(now: time(1000), limit: .seconds(5))
    #expect(drain.wake(queue: 0) == time(1150))
    #expect(!drain.isOver(queue: 0, now: time(1149)))
    #expect(drain.isOver(queue: 0, now: time(1150)))
  }

  @Test func waitsForItsFramesUntilTheLimit() {
    let drain = Drain(now: time(1000), limit: .seconds(5))
    #expect(!drain.isOver(queue: 1, now: time(5999)))
    #expect(drain.isOver(queue: 1, now: time(6000)))
    #expect(drain.wake(queue: 1) == time(6000))
  }

  @Test func framesThatCountOnItKeepItHere() {
    var drain = Drain(now: time(1000), limit: .milliseconds(500))
    drain.counted(at: time(1100))
    #expect(!drain.isOver(queue: 0, now: time(1200)))
    #expect(drain.isOver(queue: 0, now: time(1250)))
    // A client that never hears cannot keep it for ever.
    drain.counted(at: time(1490))
    #expect(drain.isOver(queue: 0, now: time(1500)))
  }

  /// Over a slow link what is left gets its time as long as it moves, but not for ever.
  @Test func whatMovesIsWaitedFor() {
    var drain = Drain(now: time(1000), limit: .seconds(5))
    drain.moved(at: time(4000))
    drain.moved(at: time(3000))
    #expect(!drain.isOver(queue: 1, now: time(8999)) && drain.isOver(queue: 1, now: time(9000)))
    #expect(drain.wake(queue: 1) == time(9000))
    for second in 4...200 as ClosedRange<UInt64> { drain.moved(at: time(second * 1000)) }
    #expect(drain.wake(queue: 1) == time(101_000))
  }
}
