import Foundations
import Testing
import WireProtocol

/// Who works without being heard.
@Suite struct DeliveryTests {
  /// What a receiver sees of one peer, in order.
  enum Step {
    /// A frame ended that began a second before.
    case ended(UInt64)
    case beat(UInt64, epoch: UInt64 = 7)
    case part
    case connectionLost
  }

  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var steps: [Step]
    var isKeptBack: Bool
    var news: [DeliveryBook.News] = []
  }

  /// A peer that finishes each frame before the next one begins.
  private static func working(_ frames: ClosedRange<UInt64>) -> [Step] {
    frames.flatMap { [.ended($0), .beat($0)] as [Step] }
  }

  private static let barred = [Step.beat(0)] + working(1...5)
  private static let told = DeliveryBook.News.keptBack(device: 1, frames: 5)

  static let cases = [
    Case(testDescription: "five frames gone past", steps: barred, isKeptBack: true, news: [told]),
    Case(
      testDescription: "said once", steps: barred + working(6...40), isKeptBack: true, news: [told]),
    Case(
      testDescription: "four are too few", steps: [.beat(0)] + working(1...4), isKeptBack: false),
    Case(
      testDescription: "one heartbeat is too few",
      steps: [.beat(0)] + (1...9).map { .ended($0) } + [.beat(9)], isKeptBack: false),
    Case(
      testDescription: "three heartbeats for many frames",
      steps: [.beat(0)] + (1...9).map { .ended($0) } + [.beat(2), .beat(4), .beat(6)],
      isKeptBack: true, news: [.keptBack(device: 1, frames: 6)]),
    Case(
      testDescription: "heartbeats that stand still: it is slow, or has no inputs",
      steps: (1...40).flatMap { [.ended($0), .beat(3)] as [Step] }, isKeptBack: false),
    Case(
      testDescription: "heartbeats that stay behind",
      steps: (100...140).flatMap { [.ended($0), .beat($0 - 90)] as [Step] }, isKeptBack: false),
    Case(
      testDescription: "a new client after another one's many frames",
      steps: [.beat(5000)] + working(1...5), isKeptBack: true, news: [told]),
    Case(
      testDescription: "a part between",
      steps: [.beat(0)] + working(1...4) + [.part]
        + working(5...8), isKeptBack: false),
    Case(
      testDescription: "a part during the frame",
      steps: [.beat(0)] + (1...20).flatMap { [.part, .ended($0), .beat($0)] as [Step] },
      isKeptBack: false),
    Case(
      testDescription: "late parts, after their frames but before the heartbeats",
      steps: [.beat(0)] + (1...20).flatMap { [.ended($0), .part, .beat($0)] as [Step] },
      isKeptBack: false),
    Case(
      testDescription: "a part ends it at once", steps: barred + [.part], isKeptBack: false,
      news: [told, .comesAgain(device: 1)]),
    Case(
      testDescription: "and it may begin again", steps: barred + [.part] + working(6...11),
      isKeptBack: true, news: [told, .comesAgain(device: 1), told]),
    Case(
      testDescription: "what was lost with the connection was not kept back",
      steps: [.beat(0)] + working(1...4) + [.connectionLost] + working(5...8), isKeptBack: false),
    Case(
      testDescription: "a lost connection does not open a topic", steps: barred + [.connectionLost],
      isKeptBack: true, news: [told]),
    Case(
      testDescription: "another run has its own chance", steps: barred + [.beat(0, epoch: 8)],
      isKeptBack: false, news: [told]),
    Case(
      testDescription: "other runs' heartbeats do not add up",
      steps: [.beat(0)] + working(1...4) + [.beat(5, epoch: 8), .ended(6), .beat(6, epoch: 8)],
      isKeptBack: false),
    Case(testDescription: "no heartbeats", steps: (1...40).map { .ended($0) }, isKeptBack: false),
  ]

  @Test(arguments: cases) func keptBack(_ test: Case) {
    var book = DeliveryBook(devices: 3)
    var news: [DeliveryBook.News] = []
    var time = 100.0
    for step in test.steps {
      time += 2
      switch step {
      case .ended(let frame): book.ended(frame, with: 1, since: seconds(time - 3))
      case .beat(let frame, let epoch): book.heartbeat(of: 1, epoch: epoch, frame: frame)
      case .part: book.part(of: 1, at: seconds(time))
      case .connectionLost: book.connectionLost()
      }
      news += book.takeNews()
    }
    #expect(book.isKeptBack(1) == test.isKeptBack)
    #expect(news == test.news)
    #expect(!book.isKeptBack(0) && !book.isKeptBack(2))
  }

  @Test func strangersAreNobody() {
    var book = DeliveryBook(devices: 2)
    for frame in 0...20 as ClosedRange<UInt64> {
      book.ended(frame, with: 9, since: .zero)
      book.heartbeat(of: 9, epoch: 1, frame: frame)
    }
    book.part(of: 9, at: seconds(1))
    #expect(!book.isKeptBack(9) && book.takeNews().isEmpty)
  }
}
