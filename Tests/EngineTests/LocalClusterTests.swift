import Engine
import Foundations
import Plan
import TestSupport
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
          == plan.exchanges.reduce(0) { $0 + plan.parts[$1.layer ?? 0][1].count })
      #expect(answer.present == ["d0", "d2"])
    }
  }

  /// There is no clock in the engine: the caller's is read before and after.
  @Test func latencyIsThatOfTheCallersClock() throws {
    try TinyModel.with { model in
      let cluster = LocalCluster(devices: model.engines, client: model.client)
      var readings = [25, 5]
      let answer = try cluster.answer(model.input(1), ticket: 0, alive: [true, true, true]) {
        MonotonicTime(nanoseconds: UInt64(readings.removeLast()) * 1_000_000)
      }
      #expect(answer.latency == .milliseconds(20))
      #expect(readings.isEmpty)
      #expect(
        try cluster.answer(model.input(1), ticket: 1, alive: [true, true, true]).latency == .zero)
    }
  }
}
