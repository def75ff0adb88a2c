import Foundations
import Testing
import WireProtocol

@Suite struct FrameInboxTests {
  private func inbox<Part: Sendable>(
    ahead: Int, bytes: Int, perPeer: Int? = nil, current: UInt64 = 0, of type: Part.Type
  ) -> FrameInbox<Part> {
    var inbox = FrameInbox<Part>(
      limits: .init(framesAhead: ahead, bytes: bytes, bytesPerPeer: perPeer))
    inbox.open("cam", at: current)
    return inbox
  }

  private func key(_ frame: UInt64, _ client: String = "cam") -> FrameKey {
    FrameKey(client: client, frame: frame)
  }

  @Test func keepsAndGives() {
    var inbox = inbox(ahead: 2, bytes: 100, current: 5, of: String.self)
    #expect(inbox.store("stranger", of: key(6, "other"), from: 0, bytes: 1) == .notAhead)
    #expect(inbox.store("now", of: key(5), from: 0, bytes: 1) == .notAhead)
    #expect(inbox.store("past", of: key(4), from: 0, bytes: 1) == .notAhead)
    #expect(inbox.store("a", of: key(6), from: 0, bytes: 10) == .stored)
    #expect(inbox.store("b", of: key(6), from: 1, bytes: 10) == .stored)
    #expect(inbox.store("c", of: key(7), from: 0, bytes: 10) == .stored)
    #expect(inbox.store("d", of: key(8), from: 0, bytes: 10) == .tooFarAhead)
    #expect(inbox.store("e", of: key(.max), from: 0, bytes: 10) == .tooFarAhead)
    #expect(inbox.isAhead(key(7)) && !inbox.isAhead(key(5)) && !inbox.isAhead(key(8)))
    #expect(inbox.bytes == 30 && inbox.count == 3 && inbox.bytes(of: 0) == 20)
    #expect(inbox.begin(key(6)) == ["a", "b"])
    #expect(inbox.bytes == 10 && inbox.count == 1 && inbox.dropped == 0)
    #expect(inbox.begin(key(8)) == [])
    #expect(inbox.bytes == 0 && inbox.count == 0 && inbox.dropped == 1 && inbox.largestPeer == 0)
  }

  @Test func dropsWholeOldFrames() {
    var inbox = inbox(ahead: 9, bytes: 30, of: Int.self)
    for part in 0..<2 {
      #expect(inbox.store(part, of: key(1), from: part, bytes: 10) == .stored)
    }
    #expect(inbox.store(2, of: key(2), from: 0, bytes: 10) == .stored)
    #expect(inbox.store(3, of: key(1), from: 2, bytes: 10) == .full)
    #expect(inbox.store(4, of: key(3), from: 0, bytes: 5) == .stored)
    #expect(inbox.dropped == 2 && inbox.bytes == 15)
    #expect(inbox.store(5, of: key(4), from: 0, bytes: 31) == .full)
    #expect(inbox.bytes == 15)
    #expect(inbox.begin(key(1)) == [])
    #expect(inbox.begin(key(2)) == [2])
  }

  /// One peer that sends too much cannot take the room of the others.
  @Test func eachPeerHasItsOwnBudget() {
    var inbox = inbox(ahead: 9, bytes: 100, perPeer: 20, of: Int.self)
    #expect(inbox.store(0, of: key(1), from: 0, bytes: 20) == .stored)
    #expect(inbox.store(1, of: key(1), from: 0, bytes: 1) == .full)
    #expect(inbox.store(2, of: key(1), from: 1, bytes: 20) == .stored)
    #expect(inbox.store(3, of: key(2), from: 1, bytes: 21) == .full)
    // A later frame pushes the earlier one out as a whole.
    #expect(inbox.store(4, of: key(2), from: 0, bytes: 5) == .stored)
    #expect(inbox.bytes(of: 0) == 5 && inbox.bytes(of: 1) == 0 && inbox.dropped == 2)
  }

  @Test func clientsHaveWindowsOfTheirOwn() {
    var inbox = inbox(ahead: 2, bytes: 100, of: Int.self)
    inbox.open("other", at: 70)
    #expect(inbox.store(0, of: key(1), from: 0, bytes: 10) == .stored)
    #expect(inbox.store(1, of: key(71, "other"), from: 0, bytes: 10) == .stored)
    inbox.skip("other", to: 71)
    #expect(inbox.store(2, of: key(71, "other"), from: 0, bytes: 10) == .notAhead)
    inbox.skip("other", to: 3)
    #expect(inbox.store(3, of: key(72, "other"), from: 0, bytes: 10) == .stored)
    inbox.close("other")
    #expect(inbox.bytes == 10 && inbox.count == 1)
    #expect(inbox.begin(key(1)) == [0])
  }

  @Test func staysWithinItsBounds() {
    let seed: UInt64 = 3
    var random = SeededGenerator(seed: seed)
    var inbox = inbox(ahead: 4, bytes: 1000, perPeer: 700, of: Int.self)
    var (stored, taken) = (0, 0)
    var current: UInt64 = 0
    for _ in 0..<20_000 {
      let frame = current &+ UInt64.random(in: 0..<8, using: &random)
      let peer = Int.random(in: 0..<3, using: &random)
      let bytes = Int.random(in: -5..<400, using: &random)
      if inbox.store(1, of: key(frame), from: peer, bytes: bytes) == .stored { stored += 1 }
      if Int.random(in: 0..<10, using: &random) == 0 {
        current += UInt64.random(in: 1..<3, using: &random)
        taken += inbox.begin(key(current)).count
      }
      let peers = (0..<3).map { inbox.bytes(of: $0) }
      #expect(inbox.bytes <= 1000 && inbox.largestPeer <= 700, "seed \(seed)")
      #expect(peers.reduce(0, +) == inbox.bytes && peers.allSatisfy { $0 >= 0 }, "seed \(seed)")
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
