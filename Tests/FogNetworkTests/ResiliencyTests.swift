import FogNetwork
import Foundations
import Kernels
import Tensors
import Testing

@Suite struct ResiliencyTests {
  @Test func `the paper's example of a probability`() {
    let combination = FailureCombination(alive: [true, true, true, false])
    let p = combination.probability([0.98, 0.98, 0.95, 0.94])
    #expect(abs(p - 0.98 * 0.98 * 0.95 * 0.06) < 1e-15)
  }

  @Test(arguments: [1, 4, 8, 12]) func `probabilities add up to one`(nodes: Int) {
    var generator = SeededGenerator(stream: 0, of: nodes)
    let survival = (0..<nodes).map { _ in generator.unit() } + [1]
    let all = FailureCombination.all(nodes: nodes + 1, fallible: Array(0..<nodes))
    #expect(Set(all).count == 1 << nodes)
    #expect(all.allSatisfy { $0.alive[nodes] })
    let sum = all.reduce(0) { $0 + $1.probability(survival) }
    #expect(abs(sum - 1) < 1e-12)
  }

  @Test(arguments: [1, 2, 3]) func `every combination as computed sample by sample`(
    seed: Int
  ) throws {
    let model = try FogModel.random(.small(), seed: seed)
    let data = FogData.random(300, model.design, seed: seed)
    let result = try FogResiliency(
      model, data: data, settings: model.design.topology.settings)
    #expect(result.combinations.count == 8)
    #expect(abs(result.averages[0].total - 1) < 1e-12)
    var average = 0.0
    for (index, combination) in result.combinations.enumerated() {
      let alive = model.design.topology.nodes.map { !combination.failed.contains($0.name) }
      let outputs = (0..<data.count).map { row in
        reference(
          model, sample: Array(data.inputs[(row * data.width)..<((row + 1) * data.width)]),
          alive: alive)
      }
      #expect(outputs.allSatisfy { ($0 == nil) == combination.isNull })
      let correct = zip(outputs, data.labels).count { output, label in
        guard let output else { return false }
        return output.indices.max { output[$0] < output[$1] } == label
      }
      let expected =
        combination.isNull ? result.guessAccuracy : Double(correct) / Double(data.count)
      // One of 300 may be decided by rounding.
      #expect(abs(combination.accuracy - expected) <= 1.0 / 300 + 1e-12, "seed \(seed)")
      average += result.averages[0].probabilities[index] * combination.accuracy
    }
    #expect(abs(average - result.averages[0].accuracy) < 1e-12)
  }

  @Test func `a chain without skips has a closed form`() throws {
    var topology = FogTopology.small()
    topology.connections = [
      .init(from: "a", to: "e1"), .init(from: "b", to: "e2"), .init(from: "e1", to: "e2"),
      .init(from: "e2", to: "f1"), .init(from: "f1", to: "c"),
    ]
    topology.connections.remove(at: 1)
    topology.sources.removeLast()
    let model = try FogModel.random(topology, seed: 4)
    let data = FogData.random(400, model.design, seed: 4)
    let settings = [
      FogTopology.Setting(name: "none", survival: [:]), topology.settings[0],
    ]
    let result = try FogResiliency(model, data: data, settings: settings)
    #expect(abs(result.averages[0].accuracy - result.plainAccuracy) < 1e-12)
    #expect(result.averages[0].noInformation == 0)
    let lost = 1 - 0.9 * 0.8 * 0.7
    #expect(abs(result.averages[1].noInformation - lost) < 1e-12)
    #expect(
      abs(
        result.averages[1].accuracy
          - ((1 - lost) * result.plainAccuracy + lost * result.guessAccuracy)) < 1e-12)
    // Only one combination of eight lets anything through: nothing is computed twice.
    #expect(result.runs.shared == 4)
  }

  @Test func `a guess by training frequencies`() throws {
    let model = try FogModel.random(.small(), seed: 5)
    let design = model.design
    let data = FogData(
      inputs: [Float](repeating: 0, count: 4 * design.sampleCount), width: design.sampleCount,
      labels: [0, 0, 0, 2])
    let f = model.frequencies
    #expect(abs(model.guessAccuracy(on: data) - (0.75 * f[0] + 0.25 * f[2])) < 1e-12)
  }

  @Test func `drawn combinations come near all of them`() throws {
    let model = try FogModel.random(.small(), seed: 6)
    let data = FogData.random(200, model.design, seed: 6)
    let settings = model.design.topology.settings
    let all = try FogResiliency(model, data: data, settings: settings)
    let drawn = try FogResiliency(
      model, data: data, settings: settings, choice: .sample(20_000, seed: 3))
    let margin = try #require(drawn.averages[0].margin)
    #expect(margin > 0 && margin < 0.01)
    #expect(abs(drawn.averages[0].accuracy - all.averages[0].accuracy) < 3 * margin)
    #expect(drawn.plainAccuracy == all.plainAccuracy)
    let again = try FogResiliency(
      model, data: data, settings: settings, choice: .sample(20_000, seed: 3))
    #expect(again.averages[0].accuracy == drawn.averages[0].accuracy)
  }

  @Test func `the whole graph gives what nobody missing gives`() throws {
    let model = try FogModel.random(.small(), seed: 7)
    let graph = try model.design.graph(weights: model.weights)
    let data = FogData.random(20, model.design, seed: 7)
    let execution = try Execution(Program(graph))
    for row in 0..<data.count {
      let sample = Array(data.inputs[(row * data.width)..<((row + 1) * data.width)])
      let output = try execution.run(inputs: [Tensor([1, data.width], sample)])
      let expected = try #require(
        reference(model, sample: sample, alive: [true, true, true, true]))
      for (value, wanted) in zip(output[0].floats ?? [], expected) {
        #expect(abs(Double(value) - wanted) < 1e-4)
      }
    }
  }
}
