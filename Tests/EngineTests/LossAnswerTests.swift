import Engine
import Foundations
import Plan
import Planning
import Resilience
import TestSupport
import Testing
import WireProtocol

/// An answer goes by what the study says of the moment that it is from.
@Suite struct LossAnswerTests {
  /// 80 of 100 right without d1, and 20 in the frame in which it dies.
  private func study(_ replicas: Replicas, _ rowFill: Plan.RowFill) throws -> FailureTable {
    func rows(_ without: Int) -> [FailureTable.Row] {
      [([Int](), 90), ([1], without)].map {
        .init(failed: $0, correct: $1, correctTop5: 95, confidence: 0.5, lostNeurons: 0)
      }
    }
    return try FailureTable(
      plan: "p", method: "copies", devices: ["d0", "d1", "d2"], images: 100, imagesDigest: "0",
      classes: 4, fill: .zero, rows: rows(80),
      atLoss: .init(replicas: replicas, rowFill: rowFill, rows: rows(20)))
  }

  /// What was studied, and what to expect of an answer from the frame of a loss, copies on standby.
  static let cases: [(Replicas, Plan.RowFill, Double)] = [
    (.standby, .standard, 0.2), (.active, .standard, 0.8), (.standby, .nearest, 0.8),
  ]

  @Test(arguments: cases)
  func theFrameOfTheLossHasItsOwn(studied: (Replicas, Plan.RowFill, Double)) throws {
    let study = try study(studied.0, studied.1)
    try TinyModel.with(
      placing: { Placing.copies($0, shares: [1, 1, 1], tolerating: 1) }
    ) { model in
      let simulation = Simulation(model)
      simulation.announceAll()
      func answer(_ frame: UInt64) throws -> Answer {
        try simulation.send(frame, input: model.input(Int(frame)))
        for _ in 0..<2000 {
          try simulation.settle { frame == 1 || $0.sender != 1 }
          if let outcome = simulation.answer() {
            defer { simulation.client.recycle(outcome) }
            return Answer(
              outcome, ticket: 0, attempts: 1, latencyNanoseconds: 0, study: study, guessSeed: 0)
          }
          simulation.advance(milliseconds: 1)
        }
        throw MartletError(.timedOut, "no answer")
      }
      let whole = try answer(1)
      #expect(whole.expectedAccuracy == 0.9 && whole.reliability == .complete)
      let loss = try answer(2)
      #expect(loss.awaited[1] && loss.isDegraded)
      #expect(loss.expectedAccuracy == studied.2)
      #expect(loss.reliability == .expected(accuracy: studied.2, whole: 0.9))
      simulation.dead.insert(1)
      simulation.announce(1, .lost)
      let later = try answer(3)
      #expect(!later.awaited[1] && !later.isDegraded && later.expectedAccuracy == 0.8)
    }
  }
}
