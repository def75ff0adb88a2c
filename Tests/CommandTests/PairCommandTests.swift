import Foundations
import JSONCoding
import Plan
import Processes
import TensorFiles
import TestSupport
import Testing

/// `martlet plan --pairs`, and what runs and studies make of it.
extension CommandTests {
  @Test func pairsArePlannedRunAndStudied() throws {
    try Workplace.with { place in
      let planned = try place.run(
        "plan", "demo.onnx", "--devices", "3", "--method", "lop", "--pairs", "all", "-o", "pairs",
        "--json")
      try #require(planned.status == .exited(0), "\(planned.error)")
      #expect(planned.json.first??["method"] == .string("lop, 1 pair"))
      let plain = try place.run(
        "plan", "demo.onnx", "--devices", "3", "--method", "lop", "-o", "plain")
      try #require(plain.status == .exited(0), "\(plain.error)")
      var correct: [JSONValue?] = []
      for plan in ["pairs", "plain"] {
        let run = try place.run(
          "run", "--in-process", "--plan", plan, "--images", "digits.tar", "--frames", "40",
          "--json")
        try #require(run.status == .exited(0), "\(run.error)")
        correct.append(run.json.last??["correct"])
      }
      #expect(correct[0] == correct[1] && correct[0] != nil)
      for options in [[], ["--at-loss"]] {
        let studied = try place.run(
          ["study", "pairs", "--model", "demo.onnx", "--images", "digits.tar", "--limit", "16"]
            + ["--failures", "1"] + options, seconds: 120)
        #expect(studied.status == .exited(0), "\(studied.error)")
      }
    }
  }

  @Test func pairsAreChosenByThePrediction() throws {
    try Workplace.with { place in
      try DeviceProfile.plain().write(to: place.path("board.json"))
      let chosen = try place.run(
        "plan", "demo.onnx", "--devices", "2", "--method", "lop", "--pairs", "auto", "--link",
        "8mbit", "--profiles", "board.json", "-o", "plan", "--json")
      try #require(chosen.status == .exited(0), "\(chosen.error)")
      #expect(chosen.json.first??["prediction"] != nil)
      let folder = try PlanFolder(reading: place.path("plan"))
      #expect(folder.plan.method == "lop, 1 pair")
      let all = try place.run(
        "plan", "demo.onnx", "--devices", "2", "--method", "auto", "--link", "8mbit",
        "--profiles", "board.json", "-o", "auto", seconds: 120)
      try #require(all.status == .exited(0), "\(all.error)")
      #expect(all.output.contains("lop, pairs"), "\(all.output)")
    }
  }

  @Test func pairsThatCannotBeHadAreNamed() throws {
    try Workplace.with { place in
      for (options, parts) in [
        (["--pairs", "nowhere"], ["nowhere", "--pairs", "all, auto, or some of"]),
        (["--pairs", "all", "--method", "coded"], ["pairs", "lop"]),
        (["--pairs", "all", "--method", "replicate"], ["pair", "lop"]),
        (["--pairs", "all", "--method", "whole"], ["--pairs"]),
      ] {
        let outcome = try place.run(
          ["plan", "demo.onnx", "--devices", "4", "-o", "plan"] + options)
        #expect(outcome.status != .exited(0), "\(options)")
        for part in parts { #expect(outcome.error.contains(part), "\(outcome.error)") }
        #expect(!FileSystem.exists(place.path("plan")))
      }
    }
  }
}
