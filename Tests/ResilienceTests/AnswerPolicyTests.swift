import Foundations
import ModelGraph
import Plan
import Planning
import Resilience
import TestSupport
import Testing

/// Which answers can be trusted, and which are given.
@Suite("Reliability and policy")
struct AnswerPolicyTests {
  /// Three devices: 90 of 100 with all, 88 without `a`, 10 without `b`; nothing is lost without `c`.
  private func study() throws -> FailureTable {
    let rows = [([Int](), 90, 0), ([0], 88, 3), ([1], 10, 5), ([2], 90, 0)].map {
      FailureTable.Row(
        failed: $0, correct: $1, correctTop5: 95, confidence: 0.5, lostNeurons: $2)
    }
    return try FailureTable(
      plan: "p", method: "lop", devices: ["a", "b", "c"], images: 100, imagesDigest: "00",
      classes: 10, fill: .zero, rows: rows)
  }

  private func alive(but failed: Int...) -> [Bool] { (0..<3).map { !failed.contains($0) } }

  @Test("is known from what was missing and from the study")
  func reliability() throws {
    let study = try study()
    func reliability(_ isComplete: Bool, _ alive: [Bool], _ study: FailureTable?) -> Reliability {
      Reliability(isComplete: isComplete, alive: alive, study: study)
    }
    #expect(reliability(true, alive(but: 1), nil) == .complete)
    #expect(reliability(false, alive(but: 1), nil) == .unknown)
    #expect(
      reliability(false, alive(but: 1), study) == .expected(accuracy: 0.1, whole: 0.9))
    #expect(reliability(false, alive(but: 0, 1), study) == .unknown, "a set that was not studied")
    #expect(reliability(false, alive(but: 0, 1, 2), study) == .expected(accuracy: 0.1, whole: 0.9))

    #expect(Reliability.complete.isReliable)
    #expect(reliability(false, alive(but: 0), study).isReliable, "88 of 90 is about as good")
    #expect(!reliability(false, alive(but: 1), study).isReliable)
    #expect(!Reliability.unknown.isReliable)
  }

  @Test("of a plan needs no study where copies hold everything")
  func ofAPlan() throws {
    let graph = try RandomGraph.network(seed: 3)
    let sharding = try Sharding(graph)
    func plan(_ placements: [LayerPlacement]) throws -> Plan {
      try Plan(
        model: Plan.Model(name: graph.name, sha256: "", preprocessing: nil, labels: []),
        method: "test", devices: ["a", "b", "c"].map { Plan.Device(name: $0) }, graph: graph,
        sharding: sharding, placements: placements)
    }
    let single = try plan(
      PartitionMethod.lop.parts(graph: graph, sharding: sharding, shares: [1, 1, 1])
        .map { LayerPlacement(parts: $0) })
    let copied = try plan(
      sharding.layers.map { layer in
        LayerPlacement(holders: (0..<layer.neurons).map { [$0 % 2, 2] })
      })
    #expect(Reliability(of: single, alive: alive(), study: nil) == .complete)
    #expect(Reliability(of: single, alive: alive(but: 1), study: nil) == .unknown)
    #expect(
      Reliability(of: single, alive: alive(but: 1), study: try study())
        == .expected(accuracy: 0.1, whole: 0.9))
    #expect(Reliability(of: single, alive: alive(but: 2), study: try study()) == .complete)
    #expect(Reliability(of: copied, alive: alive(but: 0, 1), study: nil) == .complete)
    #expect(Reliability(of: copied, alive: alive(but: 0, 2), study: nil) == .unknown)
  }

  @Test("refuses what is below the minimum or not known to be above")
  func minimum() {
    let mild = Reliability.expected(accuracy: 0.88, whole: 0.9)
    let bad = Reliability.expected(accuracy: 0.1, whole: 0.9)
    let half = AnswerPolicy(minimumExpected: 0.5)
    #expect(half.accepts(.complete) && half.accepts(mild))
    #expect(!half.accepts(bad) && !half.accepts(.unknown))
    let any = AnswerPolicy(retries: true)
    #expect([.complete, mild, bad, .unknown].allSatisfy(any.accepts))
    #expect(any.isSatisfied(by: .complete) && any.isSatisfied(by: mild))
    #expect(!any.isSatisfied(by: bad) && !any.isSatisfied(by: .unknown))
    let low = AnswerPolicy(minimumExpected: 0.05, retries: true)
    #expect(low.isSatisfied(by: bad), "what was asked for is enough")
  }

  @Test("is refused itself where it cannot be kept")
  func check() throws {
    func code(_ minimum: Double?, _ study: FailureTable?) -> MartletError.Code? {
      do throws(MartletError) {
        try AnswerPolicy(minimumExpected: minimum).check(study: study)
        return nil
      } catch { return error.code }
    }
    let study = try study()
    #expect(code(nil, nil) == nil && code(0.9, study) == nil)
    #expect(code(0.5, nil) == .notFound)
    #expect(code(0.91, study) == .invalidArgument)
    #expect(code(1.5, study) == .invalidArgument && code(.nan, study) == .invalidArgument)
  }
}
