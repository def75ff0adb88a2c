import Foundations
import Plan
import Tensors
import Testing
import WireProtocol

@Suite struct ReportTests {
  // MARK: Roles

  @Test func rolesSurviveTheWire() {
    var random = SeededGenerator(seed: 1)
    for _ in 0..<200 {
      let roles = Attendance(
        (0..<Int.random(in: 0...20, using: &random)).map { _ in
          [.awaited, .probed, .absent].randomElement(using: &random) ?? .absent
        })
      #expect(Attendance(text: roles.text, devices: roles.roles.count) == roles)
      #expect(Attendance(text: roles.text, devices: roles.roles.count + 1) == nil)
    }
    #expect(Attendance(text: "ap-", devices: 3)?.roles == [.awaited, .probed, .absent])
    #expect(Attendance(text: "active,ap-", devices: 3)?.replicas == .active)
    #expect(Attendance(text: "ap-", devices: 3)?.replicas == .standby)
    #expect(Attendance(text: "active,active,ap-", devices: 3) == nil)
  }

  @Test(arguments: ["", "aa", "aaaa", "aaA", "aab", "aa ", "aa\u{0}", "aé", "\u{FFFD}"])
  func otherTextsAreNoRoles(_ text: String) {
    #expect(Attendance(text: text, devices: 3) == nil)
  }

  // MARK: Fills

  @Test func reportsSurviveTheWire() {
    var random = SeededGenerator(seed: 2)
    for _ in 0..<200 {
      var report = FillReport()
      for _ in 0..<Int.random(in: 0...30, using: &random) {
        report.insert(
          .init(
            exchange: .random(in: 0..<12, using: &random),
            device: .random(in: 0..<5, using: &random),
            receiver: .random(in: 0..<5, using: &random),
            reason: MissingReason.allCases.randomElement(using: &random) ?? .lost))
      }
      #expect(FillReport(text: report.text, exchanges: 12, devices: 5) == report, "\(report.text)")
    }
    #expect(FillReport().text.isEmpty)
    #expect(FillReport(text: "", exchanges: 0, devices: 0) == FillReport())
  }

  @Test func theFormIsThatOfTheContract() {
    var report = FillReport()
    for exchange in [10, 2, 0] {
      for receiver in [2, 0] {
        report.insert(.init(exchange: exchange, device: 1, receiver: receiver, reason: .lost))
      }
    }
    report.insert(.init(exchange: 0, device: 3, receiver: 2, reason: .deadline))
    #expect(report.text == "deadline:3:0:2,lost:1:0.2.10:0.2")
    #expect(report.byPart.count == 4)
    #expect(report.contains(exchange: 0, device: 3, receiver: 2))
    #expect(!report.contains(exchange: 0, device: 3, receiver: 0))
  }

  /// Half of the largest deployment that anybody has: every device that is left says the same.
  @Test func aLargePlanThatLosesManyDevicesFitsIntoANote() throws {
    var report = FillReport()
    for device in 32..<64 {
      for exchange in 0..<60 {
        for receiver in 0..<32 {
          report.insert(
            .init(exchange: exchange, device: device, receiver: receiver, reason: .lost))
        }
      }
    }
    #expect(report.text == "lost:32-63:0-59:0-31")
    var header = try TensorHeader(plan: "p", device: "d0", shape: [1])
    header.note = report.text
    #expect(FillReport(text: header.note, exchanges: 60, devices: 64) == report)
  }

  /// Without any order nothing can be said in short: what is lost comes first, and the rest is counted.
  @Test func whatFindsNoRoomIsCounted() throws {
    var random = SeededGenerator(seed: 3)
    var report = FillReport()
    for _ in 0..<5000 {
      report.insert(
        .init(
          exchange: .random(in: 0..<100, using: &random),
          device: .random(in: 0..<64, using: &random),
          receiver: .random(in: 0..<64, using: &random), reason: .deadline,
          isCovered: .random(using: &random)))
    }
    let text = report.text
    #expect(text.utf8.count <= TensorHeader.maximumNoteBytes)
    let read = try #require(FillReport(text: text, exchanges: 100, devices: 64))
    #expect(read.omitted > 0 && read.all.isSubset(of: report.all))
    #expect(read.all.count + read.omitted == report.all.count)
    #expect(read.fills.count == read.all.count && read.fills.count < report.fills.count)
    // Whoever passes it on says so as well.
    var other = FillReport()
    other.insert(.init(exchange: 0, device: 0, receiver: 1, reason: .lost))
    #expect(other.text == "lost:0:0:1")
    other.merge(read)
    let passed = try #require(FillReport(text: other.text, exchanges: 100, devices: 64))
    #expect(passed.omitted >= read.omitted)
    #expect(passed.all.count + passed.omitted >= other.all.count + read.omitted)
  }

  @Test func aShortTextCannotFillItsReadersMemory() {
    let text = "lost:0-255:0-999:0-255"
    #expect(FillReport(text: text, exchanges: 1000, devices: 256) == nil)
    #expect(FillReport(text: "lost:0-255:0:0-255", exchanges: 1000, devices: 256) != nil)
    #expect(FillReport(text: "lost:0-255:0.1:0-255", exchanges: 1000, devices: 256) == nil)
    // And a writer leaves out what no reader would take.
    var report = FillReport()
    for exchange in 0..<3 {
      for receiver in 0..<2 {
        report.insert(
          .init(exchange: exchange, device: exchange, receiver: receiver, reason: .lost))
      }
    }
    #expect(
      report.text(maximumBytes: 100, maximumParts: 4) == "lost:0:0:0.1,lost:1:1:0.1,omitted:2")
    #expect(report.text(maximumBytes: 100) == "lost:0:0:0.1,lost:1:1:0.1,lost:2:2:0.1")
    // Of devices that lack the same, as many as there is room for.
    var same = FillReport()
    for device in 0..<9 {
      same.insert(.init(exchange: 0, device: device, receiver: 9, reason: .lost))
    }
    #expect(same.text == "lost:0-8:0:9")
    #expect(same.text(maximumBytes: 100, maximumParts: 4) == "lost:0-3:0:9,omitted:5")
    #expect(report.text(maximumBytes: 38) == "lost:0:0:0.1,lost:1:1:0.1,lost:2:2:0.1")
  }

  @Test func theFirstReasonStays() {
    var report = FillReport()
    report.insert(.init(exchange: 0, device: 1, receiver: 0, reason: .deadline))
    report.insert(.init(exchange: 0, device: 1, receiver: 0, reason: .lost))
    #expect(report.text == "deadline:1:0:0")
    report.merge(FillReport(text: "suspect:1:0.1:0", exchanges: 2, devices: 2) ?? FillReport())
    #expect(report.text == "deadline:1:0:0,suspect:1:1:0")
  }

  @Test(arguments: [
    "lost", "lost:1", "lost:1:", "lost:1:1", "lost::1:1", ":1:1:1", "lost:1:1:1:1", "gone:1:1:1",
    "LOST:1:1:1", "lost:5:0:0", "lost:-1:0:0", "lost:0:12:0", "lost:0:-1:0", "lost:0:1:5",
    "lost:0:1:-1", "lost:0:1:1,", "lost:x:0:0", "lost:0:x:0", "lost:0:0:x", "lost:0::1",
    "lost:0:1:",
    "lost:0:1.:1", "lost:0:2.1:0", "lost:0:1.1:0", "lost:0:0-2.2:0", "lost:0:3-2:0", "lost:0:1-:0",
    "lost:0:-:0", "lost:0:0-12:0", "lost:0:0-1-2:0", "lost:0-5:0:0", "lost:0:0:0-5", "omitted",
    "omitted:0", "omitted:-1", "omitted:x", "omitted:9007199254740992", "omitted:1:2",
    "lost:99999999999999999999:0:0", "lost:0:99999999999999999999:0", "lost:0:1:1 ",
  ])
  func otherTextsAreNoReports(_ text: String) {
    // A trailing comma adds nothing and is let through.
    let expected = text == "lost:0:1:1," ? "lost:0:1:1" : nil
    #expect(FillReport(text: text, exchanges: 12, devices: 5)?.text == expected)
  }

  @Test(arguments: 1...10)
  func noTextCrashesTheReaders(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let pieces = [
      "lost", "omitted", "deadline", "suspect", "corrupt", "denied", ":", ":", ",", ".", "0", "1",
      "4", "12",
      "-", "a", "p", "\u{0}", "é", "999999999999999999999",
    ]
    for _ in 0..<2000 {
      let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in
        pieces.randomElement(using: &random) ?? ""
      }.joined()
      if let report = FillReport(text: text, exchanges: 12, devices: 5) {
        #expect(
          report.fills.allSatisfy { (0..<12).contains($0.exchange) && (0..<5).contains($0.device) },
          "seed \(seed): \(text)")
        #expect(FillReport(text: report.text, exchanges: 12, devices: 5) == report)
      }
      if let roles = Attendance(text: text, devices: 3) { #expect(roles.text == text) }
    }
  }

  @Test func longTextsAreRefusedQuickly() {
    let text = "lost:0:" + (0..<100_000).map { "\($0 % 10)" }.joined(separator: ".") + ":0"
    #expect(FillReport(text: text, exchanges: 12, devices: 5) == nil)
  }
}

@Suite struct InputNoteTests {
  @Test func textAndBack() {
    for (note, text) in [
      (InputNote(attendance: Attendance([.awaited, .probed])), "ap:0"),
      (InputNote(attendance: .everyone(2, replicas: .active), oldest: 41), "active,aa:41"),
    ] {
      #expect(note.text == text)
      #expect(InputNote(text: text, devices: 2) == note)
    }
    #expect(InputNote(text: "ap", devices: 2)?.oldest == 0)
  }

  @Test(arguments: [
    "", ":", "a:1", "aaa:1", "aa:", "aa:-1", "aa:1:2", "aa:9007199254740992", "aa 1",
  ])
  func refusesAnythingElse(_ text: String) { #expect(InputNote(text: text, devices: 2) == nil) }
}
