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
  /// Worker processes that each hold the whole model; every frame goes to one of them.
  @Suite(.serialized) struct WholeFrames {
    static func plan(folder: String) throws -> PlanFolder {
      let path = folder + "/demo.onnx"
      try FileSystem.write(DemoFiles.model, to: path)
      let graph = try ONNXImporter.load(path: path)
      let maker = try PlanMaker(
        try PlanningMethods.standard.named("whole"), measuring: Measuring(threads: 1))
      let layout = try maker.layout(of: graph, wishes: DeviceWishes(count: 3))
      let made = try maker.make(
        PlacingContext(
          graph: graph,
          model: .init(name: graph.name, sha256: "", preprocessing: nil, labels: []),
          layout: layout))
      return try PlanFolder.write(made.plan, graph: graph, to: folder + "/plan")
    }

    /// Sends frames, so many under way at once, and checks that each has one answer, the right one.
    ///
    /// - Parameter answered: called with the number of answers so far.
    /// - Returns: the devices that answered, in the order of the answers.
    private func run(
      _ frames: Int, inFlight: Int?, _ client: InferenceClient, _ deployment: Deployment,
      answered: (Int) throws -> Void = { _ in }
    ) throws -> [String] {
      let reference = try deployment.reference()
      var open: [Int: Int] = [:]
      var devices: [String] = []
      var next = 0
      while devices.count < frames {
        while next < frames, inFlight.map({ client.framesInFlight < $0 }) ?? client.hasRoom() {
          open[try client.submit(try deployment.digits[next % 20])] = next
          next += 1
        }
        let answer = try client.next()
        let number = open.removeValue(forKey: answer.ticket)
        let input = try deployment.digits[try #require(number) % 20]
        #expect(answer.guess == nil && !answer.isDegraded)
        #expect(try answer.outputs == reference.run([input], alive: deployment.alive()))
        #expect(answer.present.count == 1)
        devices += answer.present
        try answered(devices.count)
      }
      #expect(open.isEmpty && client.framesInFlight == 0)
      return devices
    }

    @Test func framesOfAKilledDeviceGoToOthers() throws {
      try Deployment.with(planning: WholeFrames.plan) { deployment in
        try deployment.startAll()
        try deployment.withClient { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          let before = try run(40, inFlight: 6, client, deployment)
          #expect(Set(before) == ["d0", "d1", "d2"])
          for (count, victim) in [(10, "d1"), (30, "d0")] {
            let during = try run(60, inFlight: 6, client, deployment) { answers in
              guard answers == count else { return }
              try #require(deployment.workers[victim]).signal(SIGKILL)
            }
            #expect(during.last != victim)
          }
          #expect(try Set(run(20, inFlight: 6, client, deployment)) == ["d2"])
          for device in ["d0", "d1"] { try deployment.start(device) }
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          #expect(try Set(run(60, inFlight: 6, client, deployment)) == ["d0", "d1", "d2"])
        }
      }
    }

    /// As many frames are under way as the client finds worth it, and all devices work.
    @Test func theClientKeepsAllDevicesBusy() throws {
      try Deployment.with(planning: WholeFrames.plan) { deployment in
        try deployment.startAll()
        try deployment.withClient { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          let devices = try run(200, inFlight: nil, client, deployment)
          #expect(Set(devices) == ["d0", "d1", "d2"])
        }
      }
    }
  }
}
