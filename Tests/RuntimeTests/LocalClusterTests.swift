import Plan
import Runtime
import Testing
import WireProtocol

/// All devices in one process say of an answer what a deployment says.
@Suite struct LocalClusterTests {
  /// The fills of a frame that a deployment without a device answers, and of the same in one process.
  private func compare(_ model: TinyModel, without absent: Int, replicas: Replicas) throws {
    let simulation = Simulation(model, replicas: replicas)
    simulation.dead = [absent]
    for device in model.engines.indices where device != absent { simulation.announce(device) }
    try simulation.send(1, input: model.input(1))
    try simulation.settle()
    let outcome = try #require(simulation.answer())
    let alive = model.engines.indices.map { $0 != absent }
    let answer = try LocalCluster(devices: model.engines, client: model.client).answer(
      model.input(1), ticket: 0, alive: alive, replicas: replicas)
    #expect(!answer.report.isEmpty)
    #expect(answer.report.all == outcome.fills.all, "without \(absent), \(replicas)")
  }

  @Test(arguments: [0, 1, 2], Replicas.allCases)
  func whatIsMissingIsWhatADeploymentSays(_ absent: Int, _ replicas: Replicas) throws {
    try TinyModel.with { try compare($0, without: absent, replicas: replicas) }
  }

  /// Nothing reaches the cloud through the fog; where a skip hyperconnection leads past it, only the
  /// fog's part is missing.
  @Test(arguments: [0, 1])
  func whatIsMissingFromTiersIsWhatADeploymentSays(_ absent: Int) throws {
    try TinyModel.withTiers { try compare($0, without: absent, replicas: .standby) }
  }

  @Test func anAnswerSaysWhoseNeuronsWereMissing() throws {
    try TinyModel.with { model in
      let cluster = LocalCluster(devices: model.engines, client: model.client)
      let whole = try cluster.answer(model.input(1), ticket: 0, alive: [true, true, true])
      #expect(whole.fills.isEmpty && whole.report.isEmpty && !whole.isDegraded)
      let answer = try cluster.answer(model.input(1), ticket: 1, alive: [true, false, true])
      #expect(answer.isDegraded && answer.filledNeurons > 0)
      #expect(Set(answer.fills.map(\.device)) == ["d1"])
      #expect(Set(answer.fills.map(\.reason)) == ["lost"])
      // One part of each layer.
      let plan = model.folder.plan
      #expect(Set(answer.fills.map(\.layer)) == Set(plan.exchanges.map(\.id)))
      #expect(
        answer.filledNeurons
          == plan.exchanges.reduce(0) { $0 + plan.parts[$1.layer][1].count })
      #expect(answer.present == ["d0", "d2"])
    }
  }

  /// A result goes out however much was missing, and says what is not in it.
  @Test func aResultThatLacksMuchIsPublishedAndCountsWhatItLeavesOut() throws {
    try TinyModel.with { model in
      let cluster = LocalCluster(devices: model.engines, client: model.client)
      var answer = try cluster.answer(model.input(1), ticket: 0, alive: [true, false, true])
      func result() throws -> FrameResult {
        let result = FrameResult(answer, of: model.folder.plan, origin: FrameOrigin())
        return try FrameResult(payload: result.payload(), source: "result")
      }
      #expect(try result().degraded.count == answer.fills.count)
      #expect(try result().degradedOmitted == nil)
      let receivers = (0..<128).map { "device-with-a-name-\($0)" }
      let one = try #require(answer.fills.first)
      answer.fills = (0..<4000).map { number in
        var fill = one
        fill.layer = "layer-\(number / 100)"
        fill.device = "d\(number % 100)"
        fill.filledBy = receivers
        return fill
      }
      let long = try result()
      #expect(!long.degraded.isEmpty)
      #expect(
        long.degradedOmitted == (answer.fills.count - long.degraded.count) * receivers.count)
      // So many that their number is too large, not their names.
      for index in answer.fills.indices { answer.fills[index].filledBy = ["d0"] }
      #expect(try result().degradedOmitted ?? 0 > 4000 - FrameResult.maximumDegraded - 1)
    }
  }
}
