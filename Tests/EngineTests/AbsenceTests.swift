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
    try DemoModel.withPlan { LinkReport($0.plan, elementBytes: 4, needs: [20, 20]) }
  }

  @Test func bytesAndRatesAreNamed() throws {
    let report = try report()
    #expect(report.loads.map(\.device) == ["d0", "d1", "client"])
    #expect(report.loads.allSatisfy { $0.received > 0 && $0.sent > 0 })
    let load = report.loads[1]
    let silent = report.text(rates: [nil, nil])
    #expect(silent.contains("d1 receives") && silent.contains("client receives 40 B"), "\(silent)")
    #expect(!silent.contains("seen"), "\(silent)")
    // A tenth of a frame's bytes in a second: ten seconds a frame.
    let text = report.text(rates: [nil, Double(load.received + load.sent) / 10])
    #expect(text.contains("/s were seen: 10.0 s a frame)"), "\(text)")
    #expect(report.text(rates: [0, nil]).contains("(at most 0 B/s were seen)"))
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
