import Engine
import Foundations
import Glibc
import ModelGraph
import ONNXImport
import Plan
import Planning
import Processes
import Runtime
import TensorFiles
import TestSupport
import Testing

extension DistributedTests {
  /// Worker processes of a model that is cut between edge, fog and cloud.
  @Suite(.serialized) struct Vertical {
    static func plan(folder: String) throws -> PlanFolder {
      let path = folder + "/demo.onnx"
      try FileSystem.write(DemoFiles.model, to: path)
      let graph = try ONNXImporter.load(path: path)
      let cuts = try VerticalCuts(balancing: graph, shares: [1, 1, 1])
      let sharding = try Sharding(graph, blocks: cuts.blocks(of: graph))
      // Always a guess of the same class, so that it is told apart from an answer.
      let frequencies = (0..<10).map { $0 == 7 ? 1.0 : 0 }
      let plan = try Plan(
        model: .init(
          name: graph.name, sha256: "", preprocessing: nil, labels: [], frequencies: frequencies),
        method: "vertical",
        devices: ["edge", "fog", "cloud"].map { Plan.Device(name: $0, tier: $0) },
        graph: graph, sharding: sharding,
        placements: (0..<3).map { LayerPlacement(holders: [[$0]]) })
      return try PlanFolder.write(plan, graph: graph, to: folder + "/plan")
    }

    @Test func answersAreExactAndALossIsAGuessUntilTheDeviceReturns() throws {
      try Deployment.with(planning: Vertical.plan) { deployment in
        try deployment.startAll(["--deadline", "1s"])
        let reference = try deployment.reference()
        try deployment.withClient { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          for index in 0..<20 {
            let input = try deployment.digits[index]
            let answer = try client.answer(input)
            #expect(answer.guess == nil && !answer.isDegraded)
            #expect(try answer.outputs == reference.run([input], alive: [true, true, true]))
          }
          for victim in ["fog", "edge", "cloud"] {
            try #require(deployment.workers[victim]).signal(SIGKILL)
            let guess = try #require(
              try client.answer(try deployment.digits[0]) { $0.guess != nil })
            #expect(guess.guess == 7)
            #expect(Prediction(guess, of: deployment.plan.plan).label == 7)
            // Known to be gone, it is not waited for.
            let known = try #require(
              try client.answer(try deployment.digits[1]) { $0.awaited.contains(false) })
            #expect(known.guess == 7 && known.isDegraded)
            #expect(known.latency < .milliseconds(900), "\(victim)")
            try deployment.start(victim, ["--deadline", "1s"])
            try #require(try client.waitForDevices(timeout: .seconds(20)))
            let input = try deployment.digits[2]
            let back = try #require(try client.answer(input) { $0.guess == nil })
            #expect(try back.outputs == reference.run([input], alive: [true, true, true]))
          }
        }
      }
    }
  }
}
