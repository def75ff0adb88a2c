import Foundations
import Testing
import WireProtocol

/// What is known to have been sent.
@Suite struct SentBookTests {
  private func key(_ frame: UInt64, of client: String = "cam") -> FrameKey {
    FrameKey(client: client, frame: frame)
  }

  @Test func marksAreTexts() throws {
    let mark = SentMark(key(12), stage: 3)
    #expect(mark.text == "cam:12:3")
    #expect(SentMark(text: "cam:12:3") == mark)
    let end = SentMark(key(12), stage: .max)
    #expect(end.stage == SentMark.end && SentMark(text: end.text) == end)
  }

  @Test(arguments: [
    "", "cam", "cam:1", "cam:1:2:3", ":1:2", "Cam:1:2", "cam:-1:2", "cam:1:-2", "cam:x:2",
    "cam:1:1048577", "cam:99999999999999999999:1", "cam:1:", "c/m:1:2",
  ])
  func otherTextsAreNone(_ text: String) {
    #expect(SentMark(text: text) == nil)
  }

  @Test func stagesBeforeAMarkHaveLeft() {
    var book = SentBook(devices: 2)
    #expect(!book.hasLeft(0, of: key(1), from: 0) && book.reached(key(1), by: 0) == nil)
    let isNews = book.sent(SentMark(key(1), stage: 2), by: 0)
    #expect(isNews)
    #expect(book.hasLeft(1, of: key(1), from: 0) && !book.hasLeft(2, of: key(1), from: 0))
    // Of others, of other frames and clients, and of what happens only sometimes nothing is said.
    #expect(!book.hasLeft(0, of: key(1), from: 1) && !book.hasLeft(0, of: key(2), from: 0))
    #expect(!book.hasLeft(0, of: key(1, of: "eye"), from: 0))
    #expect(!book.hasLeft(nil, of: key(1), from: 0))
  }

  /// What is said again, or was under way when more was said, takes nothing back.
  @Test func marksOnlyRise() {
    var book = SentBook(devices: 1)
    for (stage, isNews) in [(2, true), (2, false), (1, false), (3, true), (SentMark.end, true)] {
      let told = book.sent(SentMark(key(1), stage: stage), by: 0)
      #expect(told == isNews, "\(stage)")
    }
    #expect(book.reached(key(1), by: 0) == SentMark.end)
  }

  @Test func onlySoManyFramesAreRemembered() {
    var book = SentBook(devices: 1)
    for frame in 1...129 as ClosedRange<UInt64> { book.sent(SentMark(key(frame), stage: 1), by: 0) }
    #expect(book.reached(key(1), by: 0) == nil)
    #expect(book.reached(key(2), by: 0) == 1 && book.reached(key(129), by: 0) == 1)
  }

  /// A device of a number that the plan has not.
  @Test func strangersSayNothing() {
    var book = SentBook(devices: 1)
    let isNews = book.sent(SentMark(key(1), stage: 1), by: 1)
    book.came(0, stage: 0, of: key(1), from: 1, isUsed: true)
    #expect(!isNews && book.reached(key(1), by: 1) == nil)
  }

  // MARK: Where the order is another

  @Test func whoeverIsOvertakenIsBelievedNoMore() {
    var book = SentBook(devices: 2)
    for device in 0..<2 { book.sent(SentMark(key(1), stage: 2), by: device) }
    // In order, and a repetition of what was there.
    book.came(5, stage: 2, of: key(1), from: 0, isUsed: true)
    book.came(4, stage: 1, of: key(1), from: 0, isUsed: false)
    #expect(book.reached(key(1), by: 0) == 2)
    book.came(4, stage: 1, of: key(1), from: 0, isUsed: true)
    #expect(book.reached(key(1), by: 0) == nil && book.reached(key(1), by: 1) == 2)
    book.sent(SentMark(key(2), stage: 2), by: 0)
    #expect(!book.hasLeft(0, of: key(2), from: 0))
  }

  @Test func whatWasGivenUpAndComesTellsIt() {
    var book = SentBook(devices: 1)
    book.sent(SentMark(key(1), stage: 2), by: 0)
    book.lost(4, of: key(1), from: 0)
    book.came(3, stage: nil, of: key(1), from: 0, isUsed: false)
    book.came(4, stage: nil, of: key(2), from: 0, isUsed: false)
    #expect(book.reached(key(1), by: 0) == 2)
    book.came(4, stage: nil, of: key(1), from: 0, isUsed: false)
    #expect(book.reached(key(1), by: 0) == nil)
  }
}
