import Foundations
import Runtime
import Testing

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
