import Foundations
import Runtime
import Testing
import WireProtocol

/// What a process makes of a connection that is slow.
@Suite struct PieceSizeTests {
  /// A fifth of a second for each message, and no less than 8 KiB.
  @Test(
    arguments: [
      (nil, .max), (0, 8192), (37_500, 8192), (125_000, 25_000), (1_250_000, 250_000),
      (.infinity, .max),
    ] as [(Double?, Int)])
  func messagesFollowTheRate(rate: Double?, bytes: Int) {
    #expect(PieceSize.limit(bytesPerSecond: rate) == bytes)
  }
}

@Suite struct SentFramesTests {
  @Test func aFrameIsFinishedWhenItsPartsHaveLeft() {
    var frames = SentFrames()
    #expect(frames.last == 0)
    frames.update(7, accepted: 10, left: 8)
    #expect(frames.last == 0)
    frames.update(8, accepted: 14, left: 9)
    #expect(frames.last == 0)
    frames.update(8, accepted: 15, left: 10)
    #expect(frames.last == 7)
    frames.update(8, accepted: 20, left: 14)
    #expect(frames.last == 8)
    // At once where nothing waits, and of another client, whose frames have other numbers.
    frames.update(3, accepted: 21, left: 21)
    #expect(frames.last == 3)
  }
}

@Suite struct SentPartsTests {
  private func mark(_ frame: UInt64, _ stage: Int) -> SentMark {
    SentMark(FrameKey(client: "cam", frame: frame), stage: stage)
  }

  @Test func whatWaitsHasNotLeft() {
    var parts = SentParts()
    var told = parts.update([mark(1, 1)], accepted: 3, left: 1)
    #expect(told.isEmpty)
    told = parts.update([mark(1, 2), mark(2, 1)], accepted: 5, left: 3)
    #expect(told == [mark(1, 1)])
    told = parts.update([], accepted: 6, left: 4)
    #expect(told.isEmpty)
    told = parts.update([mark(1, 3)], accepted: 6, left: 6)
    #expect(told == [mark(1, 2), mark(2, 1), mark(1, 3)])
    // A device that sends nothing in a stage has sent all of it.
    told = parts.update([mark(2, 2)], accepted: 6, left: 6)
    #expect(told == [mark(2, 2)])
  }

  @Test func eachIsSaidAFewTimes() {
    var news = SentNews()
    var said = news.say()
    #expect(said.isEmpty)
    news.add(mark(1, 1))
    news.add(mark(2, 1))
    said = news.say()
    #expect(said == [mark(1, 1), mark(2, 1)])
    news.add(mark(1, 2))
    for expected in [[mark(2, 1), mark(1, 2)], [mark(2, 1), mark(1, 2)], [mark(1, 2)], []] {
      said = news.say()
      #expect(said == expected)
    }
  }

  @Test func aHeartbeatHoldsThem() {
    var news = SentNews()
    for frame in 1...40 as ClosedRange<UInt64> { news.add(mark(frame, 1)) }
    let said = news.say()
    #expect(said.count == Heartbeat.sentFrames && said.last == mark(40, 1))
  }
}
