import Engine
import FogNetwork
import ModelGraph
import Plan
import Tensors
import Testing

@Suite struct FogPlanTests {
  private func cluster(_ model: FogModel) throws -> LocalCluster {
    let (plan, graph) = try model.plan(name: "small", sha256: "")
    func engines(_ device: Int?) throws -> DeviceEngines {
      let entries = ShardInventory(plan, device: device).entries
      return try DeviceEngines(
        plan: plan, device: device,
        constants: Dictionary(
          uniqueKeysWithValues: entries.compactMap { entry in
            graph.constants[entry.slice.source].map { (entry.slice, entry.slice.apply(to: $0)) }
          }))
    }
    return LocalCluster(
      devices: try plan.devices.indices.map { try engines($0) }, client: try engines(nil))
  }

  /// A trained network has one block for each node, and sends what its hyperconnections say.
  @Test func `a node is a block and a hyperconnection an exchange`() throws {
    let model = try FogModel.random(.small(), seed: 1)
    let (plan, _) = try model.plan(name: "small", sha256: "")
    #expect(plan.devices.map(\.name) == ["e1", "e2", "f1", "c"])
    #expect(plan.devices.map(\.tier) == ["edge", "edge", "fog", "cloud"])
    #expect(plan.sharding.layers.map(\.id) == ["e1", "e2", "f1", "c"])
    #expect(plan.exchanges.map(\.id) == ["e1", "e2", "f1", "c"])
    #expect(plan.exchanges.map(\.shape) == [[1, 4], [1, 6], [1, 5], [1, 3]])
    #expect((0..<4).map { plan.possibleGatherings(device: $0) } == [[], [], [0, 1], [0, 2]])
    #expect(plan.guess.frequencies == model.frequencies)
  }

  /// In every combination of failed nodes the devices answer as the evaluation does, which adds up
  /// arrivals itself.
  @Test(arguments: 1...5) func `devices answer as the evaluation says`(seed: Int) throws {
    let model = try FogModel.random(.small(), seed: seed)
    let data = FogData.random(60, model.design, seed: seed)
    let result = try FogResiliency(model, data: data, settings: [])
    let cluster = try cluster(model)
    for combination in result.combinations {
      let alive = model.design.topology.nodes.map { !combination.failed.contains($0.name) }
      var correct = 0
      for (row, label) in data.labels.enumerated() {
        let sample = Array(data.inputs[row * data.width..<(row + 1) * data.width])
        let outputs = try cluster.run([Tensor([1, data.width], sample)], alive: alive)
        #expect(outputs.isEmpty == combination.isNull, "\(combination.failed)")
        let expected = reference(model, sample: sample, alive: alive)
        guard let scores = outputs.first?.floats, let expected else { continue }
        for (score, exact) in zip(scores, expected) { #expect(abs(Double(score) - exact) < 1e-4) }
        if (scores.indices.max { scores[$0] < scores[$1] }) == label { correct += 1 }
      }
      guard !combination.isNull else { continue }
      #expect(
        abs(Double(correct) / 60 - combination.accuracy) < 1e-9,
        "seed \(seed), without \(combination.failed)")
    }
  }
}
