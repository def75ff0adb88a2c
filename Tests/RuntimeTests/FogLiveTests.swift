import Engine
import FogNetwork
import FogTraining
import Foundations
import Glibc
import Plan
import Processes
import Runtime
import Tensors
import TestSupport
import Testing

extension DistributedTests {
  /// A trained convolutional network live: its nodes are killed and come back in every combination.
  @Suite(.serialized) struct Fog {
    /// Like ResiliNet's split MobileNet: separable convolutions on every tier, and skip
    /// hyperconnections that a 1x1 convolution fits to where they arrive.
    private static let topology = FogTopology(
      name: "camera", classes: 2, sources: [.init(name: "image", first: 0, shape: [1, 8, 8])],
      nodes: [
        .init(
          name: "e1", tier: .edge,
          layers: [
            FogLayer(.convolution, width: 4, kernel: 3), FogLayer(.depthwise, kernel: 3),
            FogLayer(.convolution, width: 6, kernel: 1),
          ]),
        .init(
          name: "f2", tier: .fog,
          layers: [
            FogLayer(.depthwise, kernel: 3, stride: 2), FogLayer(.convolution, width: 8, kernel: 1),
          ]),
        .init(
          name: "f1", tier: .fog,
          layers: [FogLayer(.depthwise, kernel: 3), FogLayer(.convolution, width: 10, kernel: 1)]),
        .init(name: "cloud", tier: .cloud, layers: [.dense(12), .dense(2, activation: .none)]),
      ],
      connections: [
        .init(from: "image", to: "e1"), .init(from: "e1", to: "f2"),
        .init(from: "f2", to: "f1"), .init(from: "f1", to: "cloud"),
        .init(from: "image", to: "f2", skip: true, projection: .init(channels: 6)),
        .init(from: "e1", to: "f1", skip: true, projection: .init(channels: 8, stride: 2)),
        .init(from: "f2", to: "cloud", skip: true, projection: .init(channels: 10)),
      ],
      settings: [.init(name: "bad", survival: ["e1": 0.8, "f2": 0.8, "f1": 0.8])])

    /// Images of noise with a bright half: the left one or the right one.
    private static func data(_ count: Int, seed: UInt64) -> FogData {
      var random = SeededGenerator(seed)
      var inputs: [Float] = []
      let labels = (0..<count).map { $0 % 2 }
      for label in labels {
        for place in 0..<64 {
          let isBright = (place % 8 < 4) == (label == 0)
          inputs.append(Float.random(in: -1...1, using: &random) + (isBright ? 0.4 : 0))
        }
      }
      return FogData(inputs: inputs, width: 64, labels: labels)
    }

    private static func train() throws -> FogModel {
      var options = FogTrainingOptions()
      options.epochs = 12
      options.batch = 32
      options.rate = 5e-3
      options.start = .he
      let design = try FogDesign(topology)
      options.failout = .init(setting: topology.settings[0], design: design)
      return try FogTraining.run(
        design, train: data(256, seed: 1), validation: data(64, seed: 2), options: options)
    }

    /// Each combination differs from the one before by one node (a Gray code), so that nodes die and
    /// return one at a time.
    private static let combinations = (0..<8).map { number in
      let failed = number ^ number >> 1
      return Set(["e1", "f2", "f1"].enumerated().filter { failed >> $0.0 & 1 == 1 }.map(\.1))
    }

    @Test(arguments: [1, 3]) func everyCombinationAnswersAsOneProcessDoes(brokers: Int) throws {
      let model = try Fog.train()
      let data = Fog.data(12, seed: 3)
      let analytic = try FogResiliency(model, data: data, settings: model.design.topology.settings)
      #expect(analytic.plainAccuracy > 0.7)
      func plan(folder: String) throws -> PlanFolder {
        let (plan, graph) = try model.plan(name: "camera", sha256: "")
        return try PlanFolder.write(plan, graph: graph, to: folder + "/plan")
      }
      try Deployment.with(planning: plan) { deployment in
        guard brokers == 3 else { return try fly(deployment, data, analytic) { _ in nil } }
        try Tiers.withBrokers(edge: deployment.broker) { brokers in
          try fly(deployment, data, analytic) { brokers[$0] }
        }
      }
    }

    private func fly(
      _ deployment: Deployment, _ data: FogData, _ analytic: FogResiliency,
      broker: (String) -> EmbeddedBroker?
    ) throws {
      let tiers = Dictionary(
        uniqueKeysWithValues: deployment.plan.plan.devices.map { ($0.name, $0.tier ?? "") })
      let reference = try deployment.reference()
      let samples = data.labels.indices.map {
        Tensor([1, 64], Array(data.inputs[$0 * 64..<($0 + 1) * 64]))
      }
      var dead = Set(deployment.names)
      try deployment.withClient { client in
        for failed in Fog.combinations {
          for name in failed.subtracting(dead) {
            try #require(deployment.workers[name]).signal(SIGKILL)
          }
          for name in dead.subtracting(failed) {
            try deployment.start(name, ["--deadline", "2s"], at: broker(tiers[name] ?? ""))
          }
          dead = failed
          let alive = deployment.alive(but: failed)
          // Until everybody has heard of it.
          try #require(
            try client.answer(samples[0], seconds: 20) { answer in
              answer.awaited == alive
                && answer.fills.allSatisfy { $0.reason == "null" || failed.contains($0.device) }
            } != nil, "without \(failed.sorted())")
          var correct = 0
          for (sample, label) in zip(samples, data.labels) {
            let answer = try client.answer(sample)
            let expected = try reference.answer(
              sample, ticket: answer.ticket, alive: alive)
            #expect(answer.outputs == expected.outputs && answer.guess == expected.guess)
            #expect(Named(answer) == Named(without: failed), "without \(failed.sorted())")
            if Prediction(answer, of: deployment.plan.plan).label == label { correct += 1 }
          }
          let combination = try #require(
            analytic.combinations.first { Set($0.failed) == failed })
          #expect(combination.isNull == Fog.null.contains(failed))
          guard !combination.isNull else { continue }
          #expect(Double(correct) / Double(samples.count) == combination.accuracy)
        }
      }
    }

    /// With both of these lost, nothing reaches the cloud.
    private static let null: [Set<String>] = [["f2", "f1"], ["e1", "f2"], ["e1", "f2", "f1"]]

    /// Whom an answer names: as lost, and as having had nothing to send.
    private struct Named: Equatable {
      var lost: Set<String>
      var null: Set<String>

      init(_ answer: Answer) {
        lost = Set(answer.fills.filter { $0.reason != "null" }.map(\.device))
        null = Set(answer.fills.filter { $0.reason == "null" }.map(\.device))
      }

      /// What the topology says: the cloud only hears of what is lost before a node that is there.
      init(without failed: Set<String>) {
        switch failed {
        case ["e1", "f1"]: self.init(lost: ["e1", "f1"], null: [])
        case ["f2", "f1"]: self.init(lost: ["f2", "f1"], null: ["cloud"])
        case ["e1", "f2"]: self.init(lost: ["e1", "f2"], null: ["f1", "cloud"])
        case ["e1", "f2", "f1"]: self.init(lost: ["f2", "f1"], null: ["cloud"])
        default: self.init(lost: failed, null: [])
        }
      }

      private init(lost: Set<String>, null: Set<String>) {
        self.lost = lost
        self.null = null
      }
    }
  }
}
