import Foundations
import JSONCoding
import Plan
import Resilience
import Testing

@Suite("Failure tables")
struct FailureTableTests {
  private static func row(_ failed: [Int], _ correct: Int) -> FailureTable.Row {
    .init(
      failed: failed, correct: correct, correctTop5: min(100, correct + 5), confidence: 0.5,
      lostNeurons: failed.count * 10)
  }

  private static func table(_ rows: [FailureTable.Row]) throws -> FailureTable {
    try FailureTable(
      plan: "0123456789abcdef", method: "lop", devices: ["a", "b", "c"], images: 100,
      imagesDigest: "00ff", classes: 10, fill: .zero, rows: rows)
  }

  private static let whole = [
    row([], 90), row([0], 60), row([1], 80), row([2], 80), row([0, 1], 20), row([0, 2], 30),
    row([1, 2], 50),
  ]

  @Test("are summed up by number of failures")
  func summaries() throws {
    let summaries = try Self.table(Self.whole).summaries
    #expect(summaries.map(\.failures) == [0, 1, 2])
    #expect(summaries.map(\.sets) == [1, 3, 3])
    #expect(summaries.map(\.isComplete) == [true, true, true])
    let one = summaries[1]
    #expect(abs(one.average.accuracy - 0.7333333333) < 1e-9)
    #expect(one.minimum.failed == [0] && one.minimum.estimate.accuracy == 0.6)
    #expect(one.maximum.failed == [1] && one.maximum.estimate.accuracy == 0.8)
    #expect(abs(one.averageTop5 - 0.7833333333) < 1e-9)
    #expect(one.lostNeurons == 10)
    #expect(summaries[2].minimum.failed == [0, 1] && summaries[2].maximum.failed == [1, 2])
    let partial = try Self.table([Self.row([], 90), Self.row([1], 80)]).summaries
    #expect(partial.map(\.isComplete) == [true, false])
  }

  @Test("say which losses cost nothing")
  func freeLosses() throws {
    let table = try Self.table([
      Self.row([], 90), Self.row([0], 60), Self.row([1], 89), Self.row([2], 88),
      Self.row([0, 1], 60), Self.row([1, 2], 87),
    ])
    #expect(table.isFree(losing: []))
    #expect(table.isFree(losing: [1]) && !table.isFree(losing: [0]) && !table.isFree(losing: [2]))
    // What is missing already is not counted again.
    #expect(table.isFree(losing: [1], besides: [0]) && !table.isFree(losing: [0], besides: [1]))
    #expect(table.isFree(losing: [1], besides: [2]) && table.isFree(losing: [2], besides: [2]))
    // What was not studied is not known.
    #expect(!table.isFree(losing: [2], besides: [0]) && !table.isFree(losing: [0, 1, 2]))
  }

  @Test("intervals are Wilson's")
  func intervals() throws {
    // 10 of 20: (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n), worked out by hand.
    let estimate = FailureTable.Estimate(correct: 10, of: 20)
    #expect(estimate.accuracy == 0.5)
    #expect(abs(estimate.interval.lower - 0.299298) < 1e-6)
    #expect(abs(estimate.interval.upper - 0.700702) < 1e-6)
    let summary = try Self.table(Self.whole).summaries[1]
    #expect(
      summary.average.interval == FailureTable.Estimate(correct: 73, of: 100).interval,
      "as many trials as images, not as images times sets")
  }

  @Test("tell what to expect of those who are alive")
  func lookup() throws {
    let table = try Self.table(Self.whole)
    #expect(table.expectedAccuracy(alive: [true, true, true])?.accuracy == 0.9)
    #expect(table.expectedAccuracy(alive: [false, true, false])?.accuracy == 0.3)
    #expect(table.expectedAccuracy(alive: [false, false, false])?.accuracy == 0.1)
    #expect(table.expectedAccuracy(alive: [true, true]) == nil)
    let partial = try Self.table([Self.row([], 90)])
    #expect(partial.expectedAccuracy(alive: [false, true, true]) == nil)
    #expect(table.isWhole && !partial.isWhole)
  }

  @Test("equation 3 of deepFogGuard")
  func equationThree() throws {
    let table = try Self.table(Self.whole)
    #expect(try abs(table.expectedAccuracy(reliabilities: [1, 1, 1]) - 0.9) < 1e-15)
    #expect(try abs(table.expectedAccuracy(reliabilities: [0, 0, 0]) - 0.1) < 1e-15)
    #expect(try abs(table.expectedAccuracy(reliabilities: [0, 1, 1]) - 0.6) < 1e-15)
    // All sets are equally likely.
    let half = try table.expectedAccuracy(reliabilities: [0.5, 0.5, 0.5])
    #expect(abs(half - (0.9 + 0.6 + 0.8 + 0.8 + 0.2 + 0.3 + 0.5 + 0.1) / 8) < 1e-15)
    let r = (0.9, 0.8, 0.7)
    let terms = [
      r.0 * r.1 * r.2 * 0.9, (1 - r.0) * r.1 * r.2 * 0.6, r.0 * (1 - r.1) * r.2 * 0.8,
      r.0 * r.1 * (1 - r.2) * 0.8, (1 - r.0) * (1 - r.1) * r.2 * 0.2,
      (1 - r.0) * r.1 * (1 - r.2) * 0.3, r.0 * (1 - r.1) * (1 - r.2) * 0.5,
      (1 - r.0) * (1 - r.1) * (1 - r.2) * 0.1,
    ]
    let value = try table.expectedAccuracy(reliabilities: [0.9, 0.8, 0.7])
    #expect(abs(value - terms.reduce(0, +)) < 1e-15)
  }

  @Test("equation 3 needs every set that can happen, and probabilities")
  func equationThreeRefuses() throws {
    let partial = try Self.table(Array(Self.whole.prefix(4)))
    let error = #expect(throws: MartletError.self) {
      try partial.expectedAccuracy(reliabilities: [0.9, 0.9, 0.9])
    }
    #expect(error?.hint?.contains("--all") == true)
    #expect(try abs(partial.expectedAccuracy(reliabilities: [0.5, 1, 1]) - 0.75) < 1e-15)
    for bad in [[0.5, 0.5], [0.5, 0.5, 1.1], [0.5, -0.1, 1], [.nan, 1, 1]] {
      #expect(throws: MartletError.self) {
        try Self.table(Self.whole).expectedAccuracy(reliabilities: bad)
      }
    }
  }

  @Test("scenarios have the paper's names")
  func scenarios() {
    #expect((1...5).map { FailureTable.scenario(devices: $0) } == [nil, "C", "B", "A", nil])
  }

  // MARK: The frame of a loss

  private static func atLoss(
    _ replicas: Replicas = .standby, _ rowFill: Plan.RowFill = .standard, drop: Int = 0
  ) -> FailureTable.AtLoss {
    .init(
      replicas: replicas, rowFill: rowFill,
      rows: whole.dropLast(drop).map { row($0.failed, $0.correct / 2) })
  }

  @Test("know the frame of a loss where it was studied as devices do it")
  func loss() throws {
    let table = try Self.table(Self.whole).adding(Self.atLoss())
    func accuracy(_ table: FailureTable, _ moment: FailureTable.Moment) -> Double? {
      table.expectedAccuracy(alive: [false, true, true], at: moment)?.accuracy
    }
    #expect(accuracy(table, .later) == 0.6 && accuracy(table, .loss(.standby)) == 0.3)
    #expect(accuracy(table, .loss(.active)) == 0.6, "not studied")
    let nearest = try Self.table(Self.whole).adding(Self.atLoss(.standby, .nearest))
    #expect(accuracy(nearest, .loss(.standby)) == 0.6, "devices do not fill with the nearest")
    #expect(accuracy(try Self.table(Self.whole), .loss(.standby)) == 0.6)
    #expect(table.summaries == (try Self.table(Self.whole)).summaries)
    #expect(table.lossSummaries.map(\.sets) == [1, 3, 3])
    #expect(table.lossSummaries[1].minimum.estimate.accuracy == 0.3)
    #expect(try Self.table(Self.whole).lossSummaries.isEmpty)
    #expect(
      Reliability(
        isComplete: false, alive: [false, true, true], study: table, at: .loss(.standby))
        == .expected(accuracy: 0.3, whole: 0.9))
    #expect(throws: MartletError.self) {
      try Self.table(Self.whole).adding(Self.atLoss(drop: 1))
    }
  }

  @Test("come back from their file with the frame of the loss, and are refused where it is hostile")
  func lossRoundTrip() throws {
    let table = try Self.table(Self.whole).adding(Self.atLoss(.active, .mean))
    let bytes = try table.encoded()
    #expect(try FailureTable(decoding: bytes, source: "study.json") == table)
    let text = String(decoding: bytes, as: UTF8.self)
    for (old, new) in [
      ("\"active\"", "\"lazy\""), ("\"mean\"", "\"median\""),
      ("\"correct\": 45", "\"correct\": 101"),
    ] {
      let range = try #require(text.firstRange(of: old), "\(old)")
      let changed = text[..<range.lowerBound] + new + text[range.upperBound...]
      let error = #expect(throws: MartletError.self) {
        try FailureTable(decoding: Array(changed.utf8), source: "study.json")
      }
      #expect(error?.code == .invalidFile)
    }
  }

  // MARK: Files

  @Test("come back from their file")
  func roundTrip() throws {
    let table = try Self.table(Self.whole)
    let bytes = try table.encoded()
    #expect(try FailureTable(decoding: bytes, source: "study.json") == table)
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.contains("martlet-study") && text.contains("\"b\""))
  }

  @Test(
    "hostile files are refused and named",
    arguments: [
      ("\"images\": 100", "\"images\": 0"), ("\"images\": 100", "\"images\": 10"),
      ("\"images\": 100", "\"images\": -1"), ("\"correct\": 90", "\"correct\": -1"),
      ("\"correct\": 90", "\"correct\": 96"), ("\"correct\": 90", "\"correct\": 1e30"),
      ("\"classes\": 10", "\"classes\": 0"), ("\"fill\": \"zero\"", "\"fill\": \"one\""),
      ("\"a\"", "\"A b\""), ("\"devices\"", "\"machines\""), ("martlet-study", "martlet-plan"),
      ("\"version\": 1", "\"version\": 2"), ("0.5", "1.5"), ("0.5", "null"), ("}", ""),
    ])
  func hostile(change: (String, String)) throws {
    let text = String(decoding: try Self.table(Self.whole).encoded(), as: UTF8.self)
    let range = try #require(text.firstRange(of: change.0), "\(text)")
    let changed = text[..<range.lowerBound] + change.1 + text[range.upperBound...]
    let error = #expect(throws: MartletError.self) {
      try FailureTable(decoding: Array(changed.utf8), source: "study.json")
    }
    #expect(error?.description.contains("study.json") == true)
  }

  @Test("rows that contradict each other are refused")
  func badRows() throws {
    for rows in [
      [], [Self.row([0], 1)], [Self.row([], 1), Self.row([], 1)],
      [Self.row([], 1), Self.row([0, 1, 2], 1)], [Self.row([], 1), Self.row([3], 1)],
      [Self.row([], 1), Self.row([1, 0], 1)],
    ] {
      #expect(throws: MartletError.self) { try Self.table(rows) }
    }
  }
}
