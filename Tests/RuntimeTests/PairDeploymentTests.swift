import Engine
import Foundations
import Glibc
import ModelCards
import ModelGraph
import ONNXImport
import Plan
import Planning
import Processes
import Runtime
import TensorFiles
import Tensors
import TestSupport
import Testing

extension DistributedTests {
  /// Worker processes that exchange what they contribute to the ends of pairs.
  @Suite(.serialized) struct PairsLive {
    private static func plan(folder: String) throws -> PlanFolder {
      let path = folder + "/demo.onnx"
      try FileSystem.write(DemoFiles.model, to: path)
      let graph = try ONNXImporter.load(path: path)
      let maker = try PlanMaker(
        try PlanningMethods.standard.named("lop"),
        pairs: .chosen(Sharding.everyPair(of: graph)), measuring: Measuring(threads: 1))
      let layout = try maker.layout(of: graph, wishes: DeviceWishes(count: 4))
      let made = try maker.make(
        PlacingContext(
          graph: graph,
          model: .init(
            name: graph.name, sha256: "", preprocessing: DemoModel.preprocessing, labels: []),
          layout: layout))
      #expect(made.plan.sharding.pairs.count > 1)
      return try PlanFolder.write(made.plan, graph: graph, to: folder + "/plan")
    }

    @Test(arguments: [ElementType.float32, .float16, .int8])
    func answersAreThoseOfOneProcess(_ wire: ElementType) throws {
      let names: [ElementType: String] = [.float32: "f32", .float16: "f16", .int8: "i8"]
      try Deployment.with(planning: Self.plan) { deployment in
        deployment.workerOptions += ["--wire", try #require(names[wire])]
        try deployment.startAll()
        let reference = try deployment.reference(wire: wire)
        try deployment.withClient { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          for index in 0..<10 {
            let input = try deployment.digits[index]
            let answer = try client.answer(input)
            #expect(!answer.isDegraded)
            #expect(try answer.outputs == reference.run([input], alive: deployment.alive()))
          }
        }
      }
    }

    @Test func aLossCostsWhatItsHiddenNeuronsContribute() throws {
      try Deployment.with(planning: Self.plan) { deployment in
        try deployment.startAll()
        let reference = try deployment.reference()
        try deployment.withClient { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          _ = try client.answer(try deployment.digits[0])
          deployment.workers["d1"]?.signal(SIGKILL)
          let alive = deployment.alive(but: ["d1"])
          let noticed = try client.answer(try deployment.digits[1]) { !$0.awaited[1] }
          try #require(noticed != nil, "the loss was never noticed")
          for index in 0..<10 {
            let input = try deployment.digits[index]
            let answer = try client.answer(input)
            #expect(answer.isDegraded)
            #expect(try answer.outputs == reference.run([input], alive: alive))
          }
        }
      }
    }
  }
}
