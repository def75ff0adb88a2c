import Engine
import Foundations
import TestSupport
import Testing

/// When frames are asked for again, on a clock that the test sets.
@Suite struct RetryBookTests {
  private func at(_ milliseconds: UInt64) -> MonotonicTime {
    MonotonicTime.zero.adding(milliseconds: milliseconds)
  }

  @Test func isAskedAgainWhenEnoughAreThereAndAfterThePause() {
    var book = RetryBook()
    #expect(!book.isWaiting && book.nextLook(isEnough: true) == .distantFuture)
    let outcome1 = book.hold(7, until: at(10_000), now: at(0))
    #expect(outcome1)
    #expect(book.isWaiting)
    #expect(book.nextLook(isEnough: false) == at(10_000), "a change of state wakes sooner")
    #expect(book.nextLook(isEnough: true) == at(100))
    let outcome2 = book.takeDue(now: at(99), isEnough: true)
    #expect(outcome2.isEmpty)
    let outcome3 = book.takeDue(now: at(500), isEnough: false)
    #expect(outcome3.isEmpty)
    let outcome4 = book.takeDue(now: at(500), isEnough: true)
    #expect(outcome4 == [7])
    // It is under way: neither due again nor at its end.
    #expect(!book.isWaiting && book.takeDue(now: at(600), isEnough: true).isEmpty)
    let outcome5 = book.takeExpired(now: at(20_000))
    #expect(outcome5 == nil)
  }

  @Test func pausesGrowToABound() {
    var book = RetryBook()
    var now: UInt64 = 0
    var pauses: [UInt64] = []
    for _ in 0..<7 {
      let outcome6 = book.hold(1, until: at(1_000_000), now: at(now))
      #expect(outcome6)
      let next = book.nextLook(isEnough: true).nanoseconds(since: at(now)) / 1_000_000
      pauses.append(next)
      now += next
      let outcome7 = book.takeDue(now: at(now), isEnough: true)
      #expect(outcome7 == [1])
    }
    #expect(pauses == [100, 200, 400, 800, 1600, 2000, 2000])
  }

  @Test func theEndIsTheFirstOneGivenAndComesOnce() {
    var book = RetryBook()
    let outcome8 = book.hold(2, until: at(1000), now: at(0))
    #expect(outcome8)
    let outcome9 = book.hold(1, until: at(900), now: at(0))
    #expect(outcome9)
    let outcome10 = book.takeDue(now: at(200), isEnough: true)
    #expect(outcome10 == [1, 2])
    let outcome11 = book.hold(2, until: at(99_000), now: at(300))
    #expect(outcome11, "a later end changes nothing")
    let outcome12 = book.takeExpired(now: at(999))
    #expect(outcome12 == nil)
    let outcome13 = book.takeExpired(now: at(1000))
    #expect(outcome13 == 2)
    let outcome14 = book.takeExpired(now: at(1000))
    #expect(outcome14 == nil)
    let outcome15 = book.hold(1, until: at(99_000), now: at(950))
    #expect(!outcome15, "it has come to its end meanwhile")
    book.forget(1)
    #expect(!book.isWaiting)
  }

  /// Whatever happens in whatever order, a frame is never due while it is under way and ends once.
  @Test(arguments: 0..<20 as Range<UInt64>) func randomHistories(_ seed: UInt64) {
    var random = SeededGenerator(seed)
    var book = RetryBook()
    var held: Set<Int> = []
    var underWay: Set<Int> = Set(0..<8)
    var ended: [Int] = []
    var now = MonotonicTime.zero
    let end = at(5000)
    while ended.count < 8, now < at(60_000) {
      now = now.adding(milliseconds: .random(in: 1...200, using: &random))
      if let ticket = underWay.randomElement(using: &random) {
        underWay.remove(ticket)
        let isGood = Int.random(in: 0..<10, using: &random) == 0
        if !isGood, book.hold(ticket, until: end, now: now) {
          held.insert(ticket)
        } else {
          book.forget(ticket)
          ended.append(ticket)
        }
      }
      let isEnough = Bool.random(using: &random)
      while let ticket = book.takeExpired(now: now) {
        #expect(held.remove(ticket) != nil, "seed \(seed)")
        ended.append(ticket)
      }
      for ticket in book.takeDue(now: now, isEnough: isEnough) {
        #expect(held.remove(ticket) != nil && !underWay.contains(ticket), "seed \(seed)")
        underWay.insert(ticket)
      }
      #expect(book.isWaiting == !held.isEmpty, "seed \(seed)")
    }
    #expect(ended.sorted() == Array(0..<8), "seed \(seed)")
  }
}
