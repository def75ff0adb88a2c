import Glibc
import JSONCoding
import Processes
import TensorCore
import TensorFiles
import Testing

extension CommandTests {
  // The calibration images are the test images here: this is about files and tables, not accuracy.

  @Test func anExplorationWritesTablesAndCharts() throws {
    try Workplace.with { place in
      let scores = try place.run(
        "score", "demo.onnx", "--s2-images", "0", "--s3-images", "0", "-o", "scores.json")
      try #require(scores.status == .exited(0), "\(scores.error)")
      let outcome = try place.run(
        "explore", "demo.onnx", "--devices", "3", "--calibration", "digits.tar",
        "--calibration-limit", "8", "--images", "digits.tar", "--limit", "20", "--budgets",
        "1.5,2", "--scores", "scores.json", "--importance", "s1", "--csv", "t.csv", "--svg",
        "t.svg", "--json", seconds: 300)
      #expect(outcome.status == .exited(0), "\(outcome.error)")
      let report = try #require(outcome.json.first ?? nil)
      #expect(outcome.json.count == 1 && report["points"] != nil)
      let csv = try FileSystem.readText(place.path("t.csv")).split(separator: "\n")
      #expect((csv.count - 1) % 3 == 0, "a line for 0, 1 and 2 failures each")
      for name in [
        "lop", "interleaved", "cdc", "\"coded, tolerates 1\"", "replicate", "robustdice at 2",
        "\"budget, survives 2 at 1.5\"",
      ] {
        #expect(csv.contains { $0.hasPrefix(name + ",") }, "\(name) is missing: \(csv)")
      }
      #expect(csv.contains { $0.hasSuffix(",1") }, "something is on the front")
      let svg = try FileSystem.readText(place.path("t.svg"))
      #expect(svg.hasPrefix("<svg") && svg.contains("2 of 3 fail"))
    }
  }

  @Test func anExplorationReadsWell() throws {
    try Workplace.with { place in
      let outcome = try place.run(
        "explore", "demo.onnx", "--devices", "2", "--calibration", "digits.tar",
        "--calibration-limit", "4", "--images", "digits.tar", "--limit", "10", "--budgets", "1,2",
        "--fill", "mean", "--against", "memory", "--threads", "1", seconds: 300)
      #expect(outcome.status == .exited(0), "\(outcome.error)")
      for part in [
        "mean fill", "10 images", "4 calibration images", "multiply-adds", "worst", "lop",
        "front after 1:", "left out: robustdice: it needs --scores",
      ] {
        #expect(outcome.output.contains(part), "\(part) is not in \(outcome.output)")
      }
      #expect(try FileSystem.list(place.path(".")).count == 5, "nothing but what was there")
    }
  }

  @Test func badExplorationsAreNamed() throws {
    try Workplace.with { place in
      func explore(_ arguments: String...) throws -> Outcome {
        let child = try place.start(["explore", "demo.onnx"] + arguments)
        return try place.outcome(child.wait(timeout: .seconds(60)))
      }
      let both = ["--calibration", "digits.tar", "--images", "digits.tar"]
      for wrong in [
        ["--devices", "1"], ["--devices", "4", "--budgets", "1,x"],
        ["--devices", "4", "--budgets", "0.5"], ["--devices", "4", "--failures", "4"],
        ["--devices", "4", "--against", "beauty"], ["--devices", "40"],
      ] {
        let child = try place.start(["explore", "demo.onnx"] + both + wrong)
        let outcome = try place.outcome(child.wait(timeout: .seconds(20)))
        #expect(outcome.status == .exited(64), "\(wrong): \(outcome.error)")
      }
      let missing = try explore(
        "--devices", "2", "--calibration", "none.tar", "--images", "digits.tar")
      #expect(missing.status == .exited(66) && missing.error.contains("none.tar"))
      try FileSystem.createFolder(place.path("empty"))
      let empty = try explore(
        "--devices", "2", "--calibration", "empty", "--images", "digits.tar")
      #expect(empty.status == .exited(66), "\(empty.error)")
      let nowhere = try explore(
        "--devices", "2", "--calibration", "digits.tar", "--images", "digits.tar", "--svg",
        "none/t.svg")
      #expect(nowhere.status == .exited(66) && nowhere.error.contains("none/t.svg"))
      let scores = try explore(
        "--devices", "2", "--calibration", "digits.tar", "--images", "digits.tar", "--scores",
        "demo.json")
      #expect(scores.status == .exited(65), "\(scores.error)")
    }
  }

  @Test func aStoppedExplorationLeavesNothing() throws {
    try Workplace.with { place in
      let child = try place.start([
        "explore", "demo.onnx", "--devices", "8", "--calibration", "digits.tar", "--images",
        "digits.tar", "--threads", "1", "--csv", "t.csv", "--svg", "t.svg",
      ])
      defer { child.stop(patience: .zero) }
      try #require(child.wait(timeout: .milliseconds(700)) == nil)
      child.signal(SIGINT)
      let outcome = try place.outcome(child.wait(timeout: .seconds(20)))
      #expect(outcome.status == .exited(130), "\(outcome.error)")
      #expect(!FileSystem.exists(place.path("t.csv")) && !FileSystem.exists(place.path("t.svg")))
    }
  }
}
