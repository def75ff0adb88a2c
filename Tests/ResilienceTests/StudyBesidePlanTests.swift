import Foundations
import ModelGraph
import Plan
import Planning
import Processes
import Resilience
import TensorFiles
import TestSupport
import Testing

/// What a running client does with the study beside its plan.
@Suite("The study beside a plan")
struct StudyBesidePlanTests {
  private func table(plan: String, devices: [String]) throws -> FailureTable {
    let rows = [([Int](), 90), ([0], 60), ([1], 70), ([2], 80)].map { failed, correct in
      FailureTable.Row(
        failed: failed, correct: correct, correctTop5: 95, confidence: 0.5, lostNeurons: 0)
    }
    return try FailureTable(
      plan: plan, method: "lop", devices: devices, images: 100, imagesDigest: "00", classes: 10,
      fill: .zero, rows: rows)
  }

  @Test("says what to expect of the devices that are there; another plan's is refused")
  func read() throws {
    try TemporaryFolder.with(prefix: "martlet-study-test") { folder in
      let graph = try RandomGraph.network(seed: 3)
      let sharding = try Sharding(graph)
      let plan = try Plan(
        model: Plan.Model(name: graph.name, sha256: "", preprocessing: nil, labels: []),
        method: "lop", devices: ["a", "b", "c"].map { Plan.Device(name: $0) }, graph: graph,
        sharding: sharding,
        parts: PartitionMethod.lop.parts(graph: graph, sharding: sharding, shares: [1, 1, 1]))
      let written = try PlanFolder.write(plan, graph: graph, to: folder + "/plan")
      #expect(try FailureTable.read(beside: written) == nil)

      let path = written.path + "/" + PlanFolder.studyName
      func store(plan: String, devices: [String]) throws {
        try FileSystem.write(try table(plan: plan, devices: devices).encoded(), to: path)
      }
      try store(plan: written.id, devices: ["a", "b", "c"])
      let read = try #require(try FailureTable.read(beside: written))
      #expect(read.expectedAccuracy(alive: [true, false, true])?.accuracy == 0.7)
      #expect(read.expectedAccuracy(alive: [false, false, true]) == nil, "not studied")

      for (id, devices) in [("0123456789abcdef", ["a", "b", "c"]), (written.id, ["a", "c", "b"])] {
        try store(plan: id, devices: devices)
        let error = #expect(throws: MartletError.self) {
          try FailureTable.read(beside: written)
        }
        #expect(error?.code == .mismatch && error?.description.contains("study.json") == true)
      }
    }
  }
}
