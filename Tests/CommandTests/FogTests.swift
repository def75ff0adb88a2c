import JSONCoding
import Processes
import TensorFiles
import Tensors
import Testing

@Suite struct FogTests {
  private static let topology = """
    {"name": "t", "classes": 2,
     "sources": [{"name": "s", "first": 0, "shape": [4]}],
     "nodes": [
       {"name": "e", "tier": "edge", "layers": [{"kind": "dense", "width": 8}]},
       {"name": "f", "tier": "fog", "layers": [{"kind": "dense", "width": 8, "count": 2}]},
       {"name": "c", "tier": "cloud", "layers": [{"kind": "dense", "width": 6},
         {"kind": "dense", "width": 2, "activation": "none"}]}],
     "connections": [{"from": "s", "to": "e"}, {"from": "e", "to": "f"}, {"from": "f", "to": "c"},
       {"from": "s", "to": "f", "skip": true}, {"from": "e", "to": "c", "skip": true}],
     "settings": [{"name": "poor", "survival": {"e": 0.9, "f": 0.8}}]}
    """

  /// The class is the sign of the first column.
  private func write(_ workplace: Workplace) throws {
    try workplace.write(Array(Self.topology.utf8), to: "t.json")
    try FileSystem.createFolder(workplace.path("data"))
    for (split, count) in [("train", 256), ("validation", 64), ("test", 64)] {
      var state: UInt32 = UInt32(count)
      var inputs: [Float] = []
      var labels: [Int64] = []
      for _ in 0..<count {
        for column in 0..<4 {
          state = state &* 1_664_525 &+ 1_013_904_223
          let value = Float(state >> 8) / Float(1 << 23) - 1
          inputs.append(value)
          if column == 0 { labels.append(value > 0 ? 1 : 0) }
        }
      }
      try NumpyFile.write(
        workplace.path("data/\(split)-inputs.npy"), Tensor([count, 4], inputs))
      try NumpyFile.write(workplace.path("data/\(split)-labels.npy"), Tensor([count], labels))
    }
  }

  private struct Trained: Decodable {
    var validationAccuracy: Double

    private enum CodingKeys: String, CodingKey {
      case validationAccuracy = "validation_accuracy"
    }
  }

  private struct Evaluated: Decodable {
    struct Series: Decodable {
      struct Summary: Decodable {
        var mean: Double
        var deviation: Double
      }
      struct Model: Decodable {
        struct Average: Decodable {
          var accuracy: Double
          var noInformation: Double
          var totalProbability: Double

          private enum CodingKeys: String, CodingKey {
            case accuracy
            case noInformation = "no_information"
            case totalProbability = "total_probability"
          }
        }
        struct Combination: Decodable {
          var failed: [String]
          var accuracy: Double
          var probabilities: [Double]
        }
        var plainAccuracy: Double
        var guessAccuracy: Double
        var averages: [Average]
        var combinations: [Combination]

        private enum CodingKeys: String, CodingKey {
          case averages, combinations
          case plainAccuracy = "plain_accuracy"
          case guessAccuracy = "guess_accuracy"
        }
      }
      var label: String
      var summary: [Summary]
      var models: [Model]
    }
    var series: [Series]
  }

  @Test func `describe, train and evaluate`() throws {
    try Workplace.with { workplace in
      try write(workplace)
      let described = try workplace.run("fog", "describe", "t.json", "--svg", "t.svg")
      #expect(described.status == .exited(0))
      #expect(described.output.contains("┄┄> c"))
      #expect(try String(decoding: workplace.read("t.svg"), as: UTF8.self).hasPrefix("<svg"))

      let train = [
        "fog", "train", "t.json", "--data", "data", "--epochs", "30", "--batch", "32",
        "--rate", "0.01",
      ]
      for (name, extra) in [("v", ["--no-skips"]), ("d", []), ("o", ["--failout", "poor"])] {
        let outcome = try workplace.run(train + ["-o", name + ".fog", "--json"] + extra)
        #expect(outcome.status == .exited(0), "\(outcome.error)")
        let report = try JSON.decode(Trained.self, from: outcome.output, source: "output")
        #expect(report.validationAccuracy > 0.9)
        #expect(!FileSystem.exists(workplace.path(name + ".fog.checkpoint")))
      }
      let outcome = try workplace.run(
        "fog", "evaluate", "v.fog", "both=d.fog,o.fog", "--data", "data", "--json", "--svg", "f.svg"
      )
      #expect(outcome.status == .exited(0), "\(outcome.error)")
      let report = try JSON.decode(Evaluated.self, from: outcome.output, source: "output")
      #expect(report.series.map(\.label) == ["v", "both"])
      let vanilla = report.series[0].models[0]
      let lost = 1 - 0.9 * 0.8
      #expect(abs(vanilla.averages[0].noInformation - lost) < 1e-12)
      #expect(abs(vanilla.averages[0].totalProbability - 1) < 1e-12)
      #expect(
        abs(
          vanilla.averages[0].accuracy
            - ((1 - lost) * vanilla.plainAccuracy + lost * vanilla.guessAccuracy)) < 1e-12)
      #expect(report.series[0].summary[0].mean == vanilla.plainAccuracy)
      #expect(vanilla.combinations.count == 4)
      let both = report.series[1]
      #expect(both.models.count == 2)
      #expect(abs(both.models[0].averages[0].noInformation - 0.1 * 0.2) < 1e-12)
      let mean = (both.models[0].averages[0].accuracy + both.models[1].averages[0].accuracy) / 2
      #expect(abs(both.summary[1].mean - mean) < 1e-12)
      #expect(try String(decoding: workplace.read("f.svg"), as: UTF8.self).contains("no failure"))
      let text = try workplace.run("fog", "evaluate", "d.fog", "--data", "data")
      #expect(text.output.contains("nobody"))
    }
  }

  @Test func `what is wrong is said`() throws {
    try Workplace.with { workplace in
      try write(workplace)
      try workplace.write(
        Array(Self.topology.replacing("\"to\": \"f\"}", with: "\"to\": \"g\"}").utf8), to: "x.json")
      let unknown = try workplace.run("fog", "describe", "x.json")
      #expect(unknown.status == .exited(66))
      #expect(unknown.error.contains("g"))
      let missing = try workplace.run(
        "fog", "train", "t.json", "--data", "nowhere", "-o", "m.fog")
      #expect(missing.status == .exited(66))
      #expect(missing.error.contains("train-inputs.npy"))
      #expect(!FileSystem.exists(workplace.path("m.fog")))
      let setting = try workplace.run(
        "fog", "train", "t.json", "--data", "data", "-o", "m.fog", "--failout", "stormy")
      #expect(setting.status == .exited(66))
      #expect(setting.error.contains("poor"))
      let other = try workplace.run("fog", "evaluate", "demo.onnx", "--data", "data")
      #expect(other.status == .exited(65))
    }
  }
}
