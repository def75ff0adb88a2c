import Engine
import Foundations
import Plan
import Processes
import TestSupport
import Testing
import WireProtocol

@Suite struct AbsenceTests {
  private func absence(
    _ state: PeerState, said: Presence.State? = nil, beat: Int = 500
  ) -> Absence {
    Absence(
      device: "d1", state: state,
      presence: said.map {
        Presence(state: $0, epoch: 7, heartbeatMilliseconds: beat, version: "1")
      })
  }

  @Test func eachReasonHasItsWords() {
    #expect(absence(.unknown).text == "d1 (nothing heard)")
    #expect(absence(.lost, said: .offline).text == "d1 (stopped)")
    #expect(absence(.lost, said: .lost).text == "d1 (cut off or ended)")
    #expect(absence(.fenced, said: .ready).text == "d1 (runs another plan)")
    #expect(absence(.unknown, said: .ready, beat: 60_000).text.contains("due every 60 s"))
    #expect(absence(.unknown, said: .ready, beat: 250).text.contains("due every 250 ms"))
  }

  @Test func eachReasonHasItsCure() {
    func hint(_ absences: Absence...) -> String { Absence.hint(absences, patience: 30_000) }
    #expect(hint(absence(.unknown)).contains("start the workers"))
    #expect(hint(absence(.lost, said: .lost)).contains("start the workers"))
    #expect(hint(absence(.unknown), absence(.fenced)).contains("this plan"))
    let rare = hint(absence(.unknown), absence(.unknown, said: .ready, beat: 60_000))
    #expect(rare.contains("--heartbeat") && rare.contains("60 s") && !rare.contains("start the"))
    let stale = hint(absence(.unknown, said: .ready))
    #expect(stale.contains("start it again") && stale.contains("heartbeat/+"))
    // Some are only absent: the first cure is to start them.
    #expect(hint(absence(.unknown), absence(.unknown, said: .ready)).contains("start the workers"))
  }
}

@Suite struct LinkReportTests {
  private func report() throws -> LinkReport {
    try DemoModel.withPlan { LinkReport($0.plan, elementBytes: 4) }
  }

  private func metric(_ bytes: UInt64, milliseconds: Double) -> FrameMetric {
    var metric = FrameMetric(epoch: 1, sequence: 1, intervalMilliseconds: milliseconds)
    metric.receivedBytes = bytes
    return metric
  }

  @Test func bytesAndRatesAreNamed() throws {
    var report = try report()
    let load = try #require(report.loads.first { $0.device == "d1" })
    #expect(load.received > 0 && load.sent > 0)
    #expect(!report.hasSeenTraffic)
    #expect(report.text.contains("10 Mbit/s"))
    // A tenth of a frame's bytes in a second: ten seconds a frame, whatever the others have.
    report.add(metric(UInt64(load.received / 10), milliseconds: 1000), of: "d1")
    report.add(metric(UInt64(load.received * 50), milliseconds: 1000), of: "d0")
    report.add(metric(1_000_000_000, milliseconds: 1000), of: "stranger")
    #expect(report.hasSeenTraffic)
    #expect(
      report.text.contains("brings d1") && report.text.contains("10.0 s at least"), "\(report.text)"
    )
    // The best second counts.
    report.add(metric(UInt64(load.received), milliseconds: 2000), of: "d1")
    report.add(metric(0, milliseconds: 1000), of: "d1")
    #expect(report.text.contains("2.0 s at least"), "\(report.text)")
  }

  @Test func smallElementsAreFewerBytes() throws {
    let (four, two) = try DemoModel.withPlan {
      (LinkReport($0.plan, elementBytes: 4).loads, LinkReport($0.plan, elementBytes: 2).loads)
    }
    #expect(zip(four, two).allSatisfy { $0.received == 2 * $1.received && $0.sent == 2 * $1.sent })
  }
}

extension DemoModel {
  /// A plan of the bundled model for two devices.
  fileprivate static func withPlan<Result>(_ body: (PlanFolder) throws -> Result) throws -> Result {
    try TemporaryFolder.with(prefix: "martlet-test") {
      try body(try DemoModel.plan(devices: 2, folder: $0))
    }
  }
}
