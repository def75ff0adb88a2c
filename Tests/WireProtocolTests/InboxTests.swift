import TensorCore
import Testing
import WireProtocol

@Suite struct FrameInboxTests {
  @Test func keepsAndGives() {
    var inbox = FrameInbox<String>(maximumFramesAhead: 2, maximumBytes: 100, current: 5)
    #expect(inbox.store("now", frame: 5, bytes: 1) == .notAhead)
    #expect(inbox.store("past", frame: 4, bytes: 1) == .notAhead)
    #expect(inbox.store("a", frame: 6, bytes: 10) == .stored)
    #expect(inbox.store("b", frame: 6, bytes: 10) == .stored)
    #expect(inbox.store("c", frame: 7, bytes: 10) == .stored)
    #expect(inbox.store("d", frame: 8, bytes: 10) == .tooFarAhead)
    #expect(inbox.store("e", frame: .max, bytes: 10) == .tooFarAhead)
    #expect(inbox.bytes == 30 && inbox.count == 3)
    #expect(inbox.begin(frame: 6) == ["a", "b"])
    #expect(inbox.bytes == 10 && inbox.count == 1 && inbox.dropped == 0)
    #expect(inbox.begin(frame: 8).count == 0)
    #expect(inbox.bytes == 0 && inbox.count == 0 && inbox.dropped == 1)
  }

  @Test func dropsWholeOldFrames() {
    var inbox = FrameInbox<Int>(maximumFramesAhead: 9, maximumBytes: 30)
    for part in 0..<2 { #expect(inbox.store(part, frame: 1, bytes: 10) == .stored) }
    #expect(inbox.store(2, frame: 2, bytes: 10) == .stored)
    #expect(inbox.store(3, frame: 1, bytes: 10) == .full)
    #expect(inbox.store(4, frame: 3, bytes: 5) == .stored)
    #expect(inbox.dropped == 2 && inbox.bytes == 15)
    #expect(inbox.store(5, frame: 4, bytes: 31) == .full)
    #expect(inbox.bytes == 15)
    #expect(inbox.begin(frame: 1).count == 0)
    #expect(inbox.begin(frame: 2) == [2])
  }

  @Test func staysWithinItsBounds() {
    let seed: UInt64 = 3
    var random = SeededGenerator(seed: seed)
    var inbox = FrameInbox<Int>(maximumFramesAhead: 4, maximumBytes: 1000)
    var stored = 0
    var taken = 0
    for _ in 0..<20_000 {
      let frame = inbox.current &+ UInt64.random(in: 0..<8, using: &random)
      if inbox.store(1, frame: frame, bytes: Int.random(in: -5..<400, using: &random)) == .stored {
        stored += 1
      }
      if Int.random(in: 0..<10, using: &random) == 0 {
        taken += inbox.begin(frame: inbox.current + UInt64.random(in: 1..<3, using: &random)).count
      }
      #expect(inbox.bytes <= 1000 && inbox.bytes >= 0, "seed \(seed)")
    }
    #expect(stored == taken + inbox.count + inbox.dropped, "seed \(seed)")
    #expect(inbox.dropped > 0 && taken > 0)
  }
}

@Suite struct DropCounterTests {
  @Test func oneLineASecondPerReason() {
    var counter = DropCounter<RejectReason>()
    #expect(counter.record(.garbage, at: seconds(1))?.count == 1)
    for _ in 0..<9 { #expect(counter.record(.garbage, at: seconds(1.5)) == nil) }
    #expect(counter.record(.late, at: seconds(1.5))?.count == 1)
    let line = counter.record(.garbage, at: seconds(2))
    #expect(line?.count == 10 && line?.total == 11 && line?.reason == .garbage)
    #expect(counter.total(.garbage) == 11 && counter.total(.wrongPlan) == 0)
    #expect(counter.totals == [.garbage: 11, .late: 1])
  }

  @Test func tellsTheRestOfABurst() {
    var counter = DropCounter<RejectReason>()
    _ = counter.record(.late, at: seconds(1))
    _ = counter.record(.late, at: seconds(1.1))
    #expect(counter.due(at: seconds(1.9)).count == 0)
    #expect(counter.due(at: seconds(2)).map(\.count) == [1])
    #expect(counter.due(at: seconds(9)).count == 0)
  }
}
