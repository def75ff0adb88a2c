import Foundations
import JSONCoding
import Processes
import TensorFiles
import Tensors
import Testing

extension CommandTests {
  private func bytes(_ report: JSONValue?) -> Int? {
    if case .integer(let value)? = report?["weight_bytes"] { Int(value) } else { nil }
  }

  @Test func describeSaysWhatWeightsTake() throws {
    try Workplace.with { place in
      let all = try WeightType.allCases.map { type in
        let outcome = try place.run("describe", "demo.onnx", "--json", "--weights", type.rawValue)
        #expect(outcome.status == .exited(0), "\(outcome.error)")
        let report = try #require(outcome.json.first ?? nil)
        #expect(report["weights"] == .string(type.rawValue))
        return try #require(bytes(report))
      }
      #expect(all[0] > all[1] && all[1] > all[2])
      // Biases and scales stay as they are.
      #expect(2 * all[1] >= all[0] && 4 * all[2] >= all[0])
      let bad = try place.run("describe", "demo.onnx", "--weights", "i4")
      #expect(bad.status == .exited(64) && bad.error.contains("--weights"))
    }
  }

  @Test(arguments: [WeightType.f16, .i8])
  func aPlanWithNarrowWeightsAnswersAsInferDoes(type: WeightType) throws {
    try Workplace.with { place in
      let planned = try place.run(
        "plan", "demo.onnx", "--devices", "3", "--method", "coded", "--tolerate", "1",
        "--weights", type.rawValue, "-o", "plan")
      try #require(planned.status == .exited(0), "\(planned.error)")
      #expect(planned.output.contains("weights are stored as \(type.rawValue)"))
      let infer = try place.run(
        "infer", "demo.onnx", "--images", "digits.tar", "--weights", type.rawValue)
      #expect(infer.status == .exited(0), "\(infer.error)")
      let study = try place.run(
        "study", "plan", "--model", "demo.onnx", "--images", "digits.tar", "--failures", "0",
        "--predictions", "p.tsv", "--json", seconds: 120)
      #expect(study.status == .exited(0), "\(study.error)")
      let lines = try FileSystem.readText(place.path("p.tsv")).split(separator: "\n").dropFirst()
        .map { $0.split(separator: "\t", omittingEmptySubsequences: false) }
      let right = lines.count { $0[3] == $0[4] }
      #expect(infer.output.contains("(\(right) of \(lines.count) labelled"), "\(right)")
      // A lost device's neurons are decoded.
      for options in [[], ["--without", "d1"]] {
        let run = try place.run(
          [
            "run", "--in-process", "--plan", "plan", "--images", "digits.tar", "--frames", "8",
            "--json",
          ] + options)
        #expect(run.status == .exited(0), "\(run.error)")
        #expect(run.json.last??["frames"] == .integer(8))
      }
    }
  }

  @Test func weightsAreChosenByCalibrationImages() throws {
    try Workplace.with { place in
      try place.makeTrainingImages(20)
      func weights(_ options: String...) throws -> JSONValue? {
        let outcome = try place.run(
          [
            "plan", "demo.onnx", "--devices", "2", "-o", "plan", "--force", "--json", "--weights",
            "auto",
          ]
            + options, seconds: 120)
        #expect(outcome.status == .exited(0), "\(outcome.error)")
        return outcome.json.first??["weights"]
      }
      #expect(try weights() == .string("f16"))
      let chosen = try weights("--calibration", "train")
      #expect(chosen == .string("i8") || chosen == .string("f16"))
      let refused = try place.run(
        "plan", "demo.onnx", "--devices", "2", "-o", "other", "--weights", "i8", "--calibration",
        "train")
      #expect(refused.status == .exited(64) && refused.error.contains("--weights auto"))
    }
  }

  @Test func plansOfOtherWeightsAreNotStudiedTogether() throws {
    try Workplace.with { place in
      for type in ["f32", "i8"] {
        let outcome = try place.run(
          "plan", "demo.onnx", "--devices", "2", "--weights", type, "-o", type)
        try #require(outcome.status == .exited(0), "\(outcome.error)")
      }
      let study = [
        "study", "f32", "i8", "--model", "demo.onnx", "--images", "digits.tar", "--limit", "8",
        "--failures", "1", "--no-save",
      ]
      let both = try place.run(study)
      #expect(both.status != .exited(0) && both.error.contains("--weights"), "\(both.error)")
      let alike = try place.run(study + ["--weights", "f16"])
      #expect(alike.status == .exited(0), "\(alike.error)")
      let loss = try place.run([
        "study", "i8", "--model", "demo.onnx", "--images", "digits.tar", "--limit", "4",
        "--failures", "1", "--no-save", "--at-loss", "--weights", "f16",
      ])
      #expect(loss.status != .exited(0) && loss.error.contains("--at-loss"), "\(loss.error)")
      let own = try place.run([
        "study", "i8", "--model", "demo.onnx", "--images", "digits.tar", "--limit", "4",
        "--failures", "1", "--no-save", "--at-loss",
      ])
      #expect(own.status == .exited(0), "\(own.error)")
    }
  }
}
