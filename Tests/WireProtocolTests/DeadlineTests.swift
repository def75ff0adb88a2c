import Foundations
import Glibc
import Testing
import WireProtocol

@Suite struct ArrivalLagTests {
  @Test func nothingIsKnownAtFirst() {
    #expect(ArrivalLag().quantile(0.5) == nil)
    #expect(ArrivalLag().samples == 0)
  }

  /// Every lag is rounded up by at most a quarter, from 8 microseconds to more than a minute.
  @Test func classesAreNarrow() throws {
    let seed: UInt64 = 11
    var random = SeededGenerator(seed: seed)
    for _ in 0..<1000 {
      let lag = UInt64.random(
        in: 0...(1 << UInt64.random(in: 1...36, using: &random)), using: &random)
      var lags = ArrivalLag()
      lags.record(lag)
      let end = try #require(lags.quantile(0.5))
      #expect(end >= lag, "seed \(seed)")
      #expect(end <= max(8192, lag + lag / 4 + 1), "lag \(lag), seed \(seed)")
    }
    var lags = ArrivalLag()
    lags.record(.max)
    #expect(try #require(lags.quantile(1)) > 60_000_000_000)
  }

  @Test func quantilesAreThoseOfTheSamples() throws {
    let seed: UInt64 = 12
    var random = SeededGenerator(seed: seed)
    for _ in 0..<20 {
      var lags = ArrivalLag()
      var samples = (0..<Int.random(in: 1..<1000, using: &random)).map { _ in
        UInt64.random(in: 10_000...50_000_000, using: &random)
      }
      for sample in samples { lags.record(sample) }
      samples.sort()
      for q in [0, 0.25, 0.5, 0.9, 0.99, 0.999, 1] {
        let found = try #require(lags.quantile(q))
        let rank = min(Int((q * Double(samples.count)).rounded(.up)), samples.count)
        let exact = samples[max(rank - 1, 0)]
        #expect(found >= exact && found <= exact + exact / 4 + 1, "q \(q), seed \(seed)")
      }
    }
  }

  @Test func forgets() throws {
    var lags = ArrivalLag()
    for _ in 0..<1000 { lags.record(500_000_000) }
    #expect(try #require(lags.quantile(0.999)) > 400_000_000)
    for _ in 0..<20_000 { lags.record(1_000_000) }
    #expect(lags.samples < ArrivalLag.memory)
    #expect(try #require(lags.quantile(0.999)) < 2_000_000)
  }
}

@Suite struct ArrivalBookTests {
  private let floor: UInt64 = 30_000_000
  private let ceiling: UInt64 = 1_000_000_000

  private func key(_ frame: UInt64, _ client: String = "cam") -> FrameKey {
    FrameKey(client: client, frame: frame)
  }

  private func adaptive() -> ArrivalBook {
    ArrivalBook(
      policy: .adaptive(
        floor: .nanoseconds(floor), ceiling: .nanoseconds(ceiling)), devices: 3)
  }

  /// Lets parts of device 1 come `lag` milliseconds late in exchange 0.
  private func learn(
    _ book: inout ArrivalBook, _ lags: [Double], from first: UInt64 = 1
  ) -> [ArrivalBook.Timing] {
    lags.enumerated().map { index, lag in
      let frame = key(first + UInt64(index))
      let start = Double(first) + Double(index)
      book.began(0, of: frame, at: seconds(start))
      return book.arrived(0, from: 1, of: frame, isAhead: false, at: seconds(start + lag / 1e3))
    }
  }

  @Test func waitsForTheCeilingUntilItKnowsBetter() {
    var book = adaptive()
    #expect(book.wait(for: 1, in: 0) == ceiling)
    // Four that do not count, and seven.
    _ = learn(&book, Array(repeating: 100, count: 11))
    #expect(book.wait(for: 1, in: 0) == ceiling)
    _ = learn(&book, [100], from: 12)
    let wait = book.wait(for: 1, in: 0)
    #expect(wait >= 400_000_000 && wait <= 504_000_000, "\(wait)")
    // Other peers and stages have deadlines of their own.
    #expect(book.wait(for: 2, in: 0) == ceiling && book.wait(for: 1, in: 1) == ceiling)
  }

  @Test(arguments: [(0.5, 30_000_000), (600, 1_000_000_000)] as [(Double, UInt64)])
  func staysBetweenFloorAndCeiling(_ lag: Double, _ expected: UInt64) {
    var book = adaptive()
    _ = learn(&book, Array(repeating: lag, count: 50))
    #expect(book.wait(for: 1, in: 0) == expected)
  }

  @Test func earlyPartsHaveNoLag() {
    var book = adaptive()
    for frame in 1...20 as ClosedRange<UInt64> {
      let timing = book.arrived(0, from: 1, of: key(frame), isAhead: true, at: seconds(1))
      #expect(timing == .inTime)
    }
    #expect(book.wait(for: 1, in: 0) == floor)
  }

  /// Otherwise a deadline that is too short would never grow.
  @Test func learnsFromPartsThatNobodyWaitedFor() {
    var book = adaptive()
    _ = learn(&book, Array(repeating: 1, count: 200))
    #expect(book.wait(for: 1, in: 0) == floor)
    let timings = learn(&book, Array(repeating: 80, count: 40), from: 300)
    #expect(timings.first == .late && timings.last == .inTime)
    #expect(book.wait(for: 1, in: 0) >= 160_000_000)
  }

  @Test func aStallIsNotLearned() {
    var book = adaptive()
    _ = learn(&book, Array(repeating: 1, count: 200))
    let timings = learn(&book, [10_000, 9_000, 8_000], from: 300)
    #expect(timings == [.late, .late, .late])
    #expect(book.wait(for: 1, in: 0) == floor)
  }

  /// Lags in milliseconds as they are measured with four workers of AlexNet on two busy cores: half of
  /// them below 2, two in a hundred above 12, hardly any above 40.
  private func usual(_ count: Int, _ random: inout SeededGenerator) -> [Double] {
    (0..<count).map { _ in
      let rare = Double.random(in: 0..<1, using: &random) < 0.03
      return rare
        ? Double.random(in: 8...25, using: &random)
        : -2.8 * log(Double.random(in: 1e-4...1, using: &random))
    }
  }

  @Test func theStartDoesNotDecideTheWait() {
    var random = SeededGenerator(seed: 41)
    var book = adaptive()
    _ = learn(&book, [950, 700, 640, 300] + usual(100, &random))
    #expect(book.wait(for: 1, in: 0) <= 120_000_000)
  }

  /// Whoever thaws hands over what has piled up, and then catches up with the others.
  @Test func aPeerThatComesBackFromStallsIsNotWaitedForLonger() {
    var random = SeededGenerator(seed: 42)
    var book = adaptive()
    var frame: UInt64 = 1
    func fly(_ lags: [Double]) -> [ArrivalBook.Timing] {
      defer { frame += UInt64(lags.count) }
      return learn(&book, lags, from: frame)
    }
    _ = fly(usual(200, &random))
    for _ in 0..<5 {
      let thaw = seconds(Double(frame) + 60)
      for index in 0..<60 {
        let lag = UInt64(1_000_000_000 - 8_000_000 * index)
        book.began(0, of: key(frame), at: MonotonicTime(nanoseconds: thaw.nanoseconds - lag))
        let timing = book.arrived(0, from: 1, of: key(frame), isAhead: false, at: thaw)
        #expect(timing == .late)
        frame += 1
      }
      _ = fly([420, 380, 310, 240, 170, 160])
      #expect(book.wait(for: 1, in: 0) <= 150_000_000)
      let timings = fly(usual(40, &random))
      #expect(timings.allSatisfy { $0 == .inTime })
    }
  }

  /// A busy scheduler holds up six parts in a hundred; nobody is suspect for that.
  @Test func schedulingNoiseRaisesNoSuspicion() {
    var random = SeededGenerator(seed: 43)
    var book = adaptive()
    func noisy(_ count: Int) -> [Double] {
      (0..<count).map { _ in
        Double.random(in: 0..<1, using: &random) < 0.06
          ? Double.random(in: 15...60, using: &random) : Double.random(in: 0.1...2, using: &random)
      }
    }
    // What is rare has to be seen before it is known.
    _ = learn(&book, noisy(400))
    let timings = learn(&book, noisy(3000), from: 401)
    #expect(timings.allSatisfy { $0 == .inTime })
    #expect(book.wait(for: 1, in: 0) <= 300_000_000)
  }

  @Test func partsOfForgottenFramesProveNothing() {
    var book = adaptive()
    book.began(0, of: key(1), at: seconds(1))
    for frame in 2...200 as ClosedRange<UInt64> { book.began(0, of: key(frame), at: seconds(2)) }
    #expect(book.arrived(0, from: 1, of: key(1), isAhead: false, at: seconds(2)) == .unknown)
    #expect(book.arrived(0, from: 1, of: key(200), isAhead: false, at: seconds(2)) == .inTime)
  }

  @Test(arguments: [DeadlinePolicy.fixed(.milliseconds(30)), .every(.milliseconds(30))])
  func fixedPoliciesDoNotLearn(_ policy: DeadlinePolicy) {
    var book = ArrivalBook(policy: policy, devices: 3)
    let timings = learn(&book, [1, 29, 31, 500, 29])
    #expect(timings == [.inTime, .inTime, .late, .late, .inTime])
    #expect(book.wait(for: 1, in: 0) == 30_000_000)
  }

  @Test func whatNeverComesFromAPeerThatIsWaitedForAgainIsKeptBack() {
    var book = adaptive()
    for _ in 1...3 {
      #expect(!book.isBarred(1, in: 0))
      book.missedDeadline(of: 1, in: 0)
    }
    #expect(book.isBarred(1, in: 0) && !book.isBarred(1, in: 1) && !book.isBarred(2, in: 0))
    _ = book.arrived(1, from: 1, of: key(3), isAhead: true, at: seconds(8))
    #expect(book.isBarred(1, in: 0))
    _ = book.arrived(0, from: 1, of: key(3), isAhead: false, at: seconds(9))
    #expect(!book.isBarred(1, in: 0))
  }

  @Test func theFigureOfThePaperSuspectsNobody() {
    var book = ArrivalBook(policy: .every(.microseconds(1)), devices: 3)
    for _ in 1...9 { book.missedDeadline(of: 1, in: 0) }
    #expect(!book.isBarred(1, in: 0) && !book.policy.raisesSuspicion)
  }

  /// Whatever comes when, waits stay within their bounds and a part in time is one within the wait.
  @Test func randomArrivals() {
    let seed: UInt64 = 13
    var random = SeededGenerator(seed: seed)
    var book = adaptive()
    for frame in 1...3000 as ClosedRange<UInt64> {
      let device = Int.random(in: 0..<3, using: &random)
      let exchange = Int.random(in: 0..<4, using: &random)
      book.began(exchange, of: key(frame), at: seconds(Double(frame)))
      let lag = Double.random(in: 0...3, using: &random)
      let granted = book.wait(for: device, in: exchange)
      let timing = book.arrived(
        exchange, from: device, of: key(frame), isAhead: false, at: seconds(Double(frame) + lag))
      let isInTime = UInt64(lag * 1e9) <= granted
      if abs(lag - Double(granted) / 1e9) > 1e-6 {
        #expect((timing == .inTime) == isInTime, "seed \(seed)")
      }
      let wait = book.wait(for: device, in: exchange)
      #expect(wait >= floor && wait <= ceiling, "seed \(seed)")
    }
  }
}
