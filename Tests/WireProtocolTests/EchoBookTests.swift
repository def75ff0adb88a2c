import Foundations
import Testing
import WireProtocol

/// How late a device finds its own heartbeats.
@Suite struct EchoBookTests {
  private let beat = Duration.milliseconds(100)

  private func lag(_ book: EchoBook, _ time: Double) -> Double {
    Double(book.lag(at: seconds(time)).nanoseconds) / 1e9
  }

  private func isNear(_ value: Double, _ expected: Double) -> Bool {
    abs(value - expected) < 1e-6
  }

  /// A beat a tenth of a second, from 1 s on, each of which comes back after `delay` seconds.
  private func beating(_ count: Int, delay: Double) -> EchoBook {
    var book = EchoBook()
    var returned: UInt64 = 0
    for number in 1...UInt64(count) {
      let now = 1 + Double(number) / 10
      book.sent(number, next: beat, at: seconds(now))
      while returned < number, 1 + Double(returned + 1) / 10 + delay <= now {
        returned += 1
        book.returned(returned, at: seconds(1 + Double(returned) / 10 + delay))
      }
    }
    return book
  }

  @Test(arguments: [0, 0.001, 0.05, 0.19]) func whatComesSoonIsNotLate(_ delay: Double) {
    let book = beating(50, delay: delay)
    #expect(lag(book, 6.05) == 0 && !book.isBehind(at: seconds(6.05)))
  }

  @Test func whatComesLateIsLateByThat() {
    let book = beating(50, delay: 1.2)
    #expect(isNear(lag(book, 6), 1))
    #expect(book.isBehind(at: seconds(6)))
  }

  /// Long before the first one comes back.
  @Test func whatDoesNotComeBackIsLateByNow() {
    var book = beating(5, delay: 0)
    for number in 6...30 as ClosedRange<UInt64> {
      book.sent(number, next: beat, at: seconds(1 + Double(number) / 10))
    }
    // Number 6 was sent at 1.6 s.
    #expect(isNear(lag(book, 4), 2.2) && book.isBehind(at: seconds(4)))
    // All of them come at once.
    book.returned(30, at: seconds(4.05))
    #expect(!book.isBehind(at: seconds(4.05)))
  }

  @Test func latenessFades() {
    var book = beating(30, delay: 2.2)
    var now = 4.0
    #expect(lag(book, now) > 1.9)
    var fading: [Double] = []
    for number in 31...100 as ClosedRange<UInt64> {
      now += 0.1
      book.sent(number, next: beat, at: seconds(now))
      book.returned(number, at: seconds(now + 0.001))
      fading.append(lag(book, now + 0.001))
    }
    #expect(zip(fading, fading.dropFirst()).allSatisfy { $0 >= $1 })
    #expect(fading[3] > 1 && fading[69] == 0)
  }

  /// A process that stood still did not send anything either, and that is no fault of the connection.
  @Test(arguments: [true, false]) func standingStillIsNotLate(sendsFirst: Bool) {
    var book = beating(50, delay: 0)
    book.sent(51, next: beat, at: seconds(6.1))
    // Three seconds later the timer, or what has come, is looked at first.
    if sendsFirst { book.sent(52, next: beat, at: seconds(9.1)) }
    book.returned(51, at: seconds(9.1))
    #expect(lag(book, 9.1) == 0)
    #expect(!book.isBehind(at: seconds(9.1)))
  }

  /// An access list may keep a device from hearing itself: that is no reason to wait for anybody.
  @Test func whatNeverComesBackIsNotLate() {
    var book = EchoBook()
    for number in 1...1000 as ClosedRange<UInt64> {
      book.sent(number, next: beat, at: seconds(Double(number) / 10))
    }
    #expect(lag(book, 101) == 0 && !book.isBehind(at: seconds(101)))
  }

  @Test func aNewConnectionOwesNothing() {
    var book = beating(50, delay: 0)
    for number in 51...70 as ClosedRange<UInt64> {
      book.sent(number, next: beat, at: seconds(1 + Double(number) / 10))
    }
    #expect(lag(book, 8) > 1)
    book.connectionLost()
    #expect(lag(book, 8) == 0)
    // What was not sent does not come back.
    book.sent(71, next: beat, at: seconds(8))
    book.failed(71)
    book.sent(72, next: beat, at: seconds(8.1))
    book.returned(72, at: seconds(8.101))
    #expect(lag(book, 8.2) == 0)
  }

  @Test func nobodyIsWaitedForForEver() {
    var book = beating(5, delay: 0)
    for number in 6...2000 as ClosedRange<UInt64> {
      book.sent(number, next: beat, at: seconds(1 + Double(number) / 10))
    }
    #expect(book.lag(at: seconds(201)) == EchoBook.longest)
  }
}
