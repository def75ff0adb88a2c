import Processes
import Runtime
import TensorCore
import TensorFiles
import Testing

@Suite struct DrainTests {
  private let millisecond: UInt64 = 1_000_000

  private func time(_ milliseconds: UInt64) -> MonotonicTime {
    MonotonicTime(nanoseconds: milliseconds * millisecond)
  }

  @Test func endsWhenItIsQuiet() {
    let drain = Drain(now: time(1000), limit: 5000 * millisecond)
    #expect(drain.wake(queue: 0) == time(1150))
    #expect(!drain.isOver(queue: 0, now: time(1149)))
    #expect(drain.isOver(queue: 0, now: time(1150)))
  }

  @Test func waitsForItsFramesUntilTheLimit() {
    let drain = Drain(now: time(1000), limit: 5000 * millisecond)
    #expect(!drain.isOver(queue: 1, now: time(5999)))
    #expect(drain.isOver(queue: 1, now: time(6000)))
    #expect(drain.wake(queue: 1) == time(6000))
  }

  @Test func framesThatCountOnItKeepItHere() {
    var drain = Drain(now: time(1000), limit: 500 * millisecond)
    drain.counted(at: time(1100))
    #expect(!drain.isOver(queue: 0, now: time(1200)))
    #expect(drain.isOver(queue: 0, now: time(1250)))
    // A client that never hears cannot keep it for ever.
    drain.counted(at: time(1490))
    #expect(drain.isOver(queue: 0, now: time(1500)))
  }
}

@Suite struct EpochFileTests {
  private func next(_ folder: String, at time: UInt64) throws -> UInt64 {
    try EpochFile.next(folder: folder, device: "d0", unixMilliseconds: time)
  }

  @Test func growsWhateverTheClockSays() throws {
    try TemporaryFolder.with(prefix: "martlet-test") { path in
      let folder = path + "/new/state"
      let epochs = try [1000, 1000, 5, 2000].map { try next(folder, at: $0) }
      #expect(epochs == [1000, 1001, 1002, 2000])
      let other = try EpochFile.next(folder: folder, device: "d1", unixMilliseconds: 7)
      #expect(other == 7)
    }
  }

  @Test(arguments: ["", "x", "-1", "99999999999999999999999"])
  func whatCannotBeReadCountsAsNothing(_ text: String) throws {
    try TemporaryFolder.with(prefix: "martlet-test") { folder in
      try FileSystem.write(Array(text.utf8), to: folder + "/d0.epoch")
      let epochs = try [1000, 5].map { try next(folder, at: $0) }
      #expect(epochs == [1000, 1001])
    }
  }

  @Test func aFolderThatCannotBeIsAnError() throws {
    try TemporaryFolder.with(prefix: "martlet-test") { folder in
      try FileSystem.write([1], to: folder + "/file")
      #expect(throws: MartletError.self) { try next(folder + "/file/state", at: 1) }
    }
  }
}

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
