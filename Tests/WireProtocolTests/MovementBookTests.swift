import Foundations
import Testing
import WireProtocol

/// What is seen of tensors on their way.
@Suite struct MovementBookTests {
  @Test func whatComesHereMoves() {
    var book = MovementBook(devices: 2)
    #expect(book.last == nil && book.last(of: 0) == nil && book.total == 0)
    book.came(100, from: 1, at: seconds(2))
    #expect(book.last == seconds(2) && book.last(of: 1) == seconds(2) && book.last(of: 0) == nil)
    #expect(book.total == 100 && !book.isTold)
  }

  /// The first word of a run says nothing, for it may be old; nor does one that says nothing new.
  @Test func whatDevicesSayMovesWhenItGrows() {
    var book = MovementBook(devices: 2)
    book.said(nil, by: 0, at: seconds(1))
    #expect(!book.isTold)
    book.said(5000, by: 0, at: seconds(1))
    #expect(book.isTold && book.last == nil && book.total == 0)
    book.said(5000, by: 0, at: seconds(2))
    #expect(book.last == nil)
    book.said(5600, by: 0, at: seconds(3))
    #expect(book.last(of: 0) == seconds(3) && book.total == 600)
    // It has started again.
    book.said(10, by: 0, at: seconds(4))
    #expect(book.last(of: 0) == seconds(3) && book.total == 600)
    book.said(.max, by: 0, at: seconds(5))
    book.said(.max, by: 1, at: seconds(5))
    #expect(book.last(of: 0) == seconds(5))
  }

  @Test func whatPassesIsNobodys() {
    var book = MovementBook(devices: 1)
    book.passed(at: seconds(2))
    book.passed(at: seconds(1))
    #expect(book.last == seconds(2) && book.count == 1)
    #expect(book.last(of: 0) == nil && book.total == 0)
  }

  @Test func ratesAreTheHighestOfAWholeSecond() throws {
    var book = MovementBook(devices: 2)
    book.said(0, by: 0, at: seconds(1))
    book.said(900, by: 0, at: seconds(1.5))
    #expect(book.rate(of: 0) == nil)
    book.said(1000, by: 0, at: seconds(2))
    #expect(try #require(book.rate(of: 0)) == 1000)
    book.said(1100, by: 0, at: seconds(4))
    #expect(try #require(book.rate(of: 0)) == 1000 && book.rate(of: 1) == nil)
    book.said(4100, by: 0, at: seconds(5.5))
    #expect(try #require(book.rate(of: 0)) == 2000)
  }

  /// What others move is no reason to wait for one's own for ever.
  @Test func tooMuchIsForSomebodyElse() {
    var book = MovementBook(devices: 1)
    book.came(500, from: 0, at: seconds(1))
    let mark = book.total
    #expect(book.mayConcern(1000, since: mark))
    book.came(1000, from: 0, at: seconds(2))
    #expect(book.mayConcern(1000, since: mark))
    book.came(1, from: 0, at: seconds(3))
    #expect(!book.mayConcern(1000, since: mark) && book.mayConcern(1000, since: book.total))
  }
}
