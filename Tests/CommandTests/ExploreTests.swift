import Foundations
import Glibc
import JSONCoding
import Processes
import TensorFiles
import Testing

extension CommandTests {
  @Test func anExplorationWritesTablesAndCharts() throws {
    try Workplace.with { place in
      try place.makeTrainingImages()
      let scores = try place.run(
        "score", "demo.onnx", "--s2-images", "0", "--s3-images", "0", "-o", "scores.json")
      try #require(scores.status == .exited(0), "\(scores.error)")
      let outcome = try place.run(
        "explore", "demo.onnx", "--devices", "3", "--calibration", "train",
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
      try place.makeTrainingImages()
      let outcome = try place.run(
        "explore", "demo.onnx", "--devices", "2", "--calibration", "train",
        "--calibration-limit", "4", "--images", "digits.tar", "--limit", "10", "--budgets", "1,2",
        "--fill", "mean", "--against", "memory", "--threads", "1", seconds: 300)
      #expect(outcome.status == .exited(0), "\(outcome.error)")
      for part in [
        "mean fill", "10 images", "4 calibration images", "multiply-adds", "worst", "lop",
        "front after 1:", "left out: robustdice: it needs --scores",
      ] {
        #expect(outcome.output.contains(part), "\(part) is not in \(outcome.output)")
      }
      let files = try FileSystem.list(place.path("."), recursive: false).map(\.path).sorted()
      #expect(
        files == ["demo.json", "demo.onnx", "digits.tar", "run.err", "run.out", "train"],
        "nothing but what was there")
    }
  }

  @Test func anExplorationKnowsStrips() throws {
    try Workplace.with { place in
      try place.makeTrainingImages()
      let outcome = try place.run(
        "explore", "demo.onnx", "--devices", "2", "--calibration", "train",
        "--calibration-limit", "4", "--images", "digits.tar", "--limit", "10", "--budgets", "2",
        "--strips", "all", "--strips", "all", "--csv", "t.csv", seconds: 300)
      #expect(outcome.status == .exited(0), "\(outcome.error)")
      let csv = try FileSystem.readText(place.path("t.csv")).split(separator: "\n")
      // A line for no failure and one for one failure, of each front once.
      #expect(csv.count { $0.hasPrefix("lop,") } == 2, "\(csv)")
      #expect(csv.count { $0.hasPrefix("\"lop, strips to ") } == 2, "\(csv)")
      #expect(outcome.output.contains("left out: robustdice, strips to "), "\(outcome.output)")
    }
  }

  @Test func badExplorationsAreNamed() throws {
    try Workplace.with { place in
      try place.makeTrainingImages()
      func explore(_ arguments: String...) throws -> Outcome {
        let child = try place.start(["explore", "demo.onnx"] + arguments)
        return try place.outcome(child.wait(timeout: .seconds(60)))
      }
      let both = ["--calibration", "train", "--images", "digits.tar"]
      for wrong in [
        ["--devices", "1"], ["--devices", "4", "--budgets", "1,x"],
        ["--devices", "4", "--budgets", "0.5"], ["--devices", "4", "--failures", "4"],
        ["--devices", "4", "--against", "beauty"], ["--devices", "40"],
        ["--devices", "4", "--strips", "auto"],
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
        "--devices", "2", "--calibration", "train", "--images", "digits.tar", "--svg",
        "none/t.svg")
      #expect(nowhere.status == .exited(66) && nowhere.error.contains("none/t.svg"))
      let strips = try explore(
        "--devices", "2", "--calibration", "train", "--images", "digits.tar", "--strips", "nobody")
      #expect(strips.status == .exited(66) && strips.error.contains("\"nobody\""))
      let scores = try explore(
        "--devices", "2", "--calibration", "train", "--images", "digits.tar", "--scores",
        "demo.json")
      #expect(scores.status == .exited(65), "\(scores.error)")
    }
  }

  @Test func imagesToChooseByAndToTestWithAreApart() throws {
    try Workplace.with { place in
      try place.makeTrainingImages(20)
      func check(_ calibration: [String], _ outcome: Outcome) {
        #expect(outcome.status == .exited(64), "\(calibration): \(outcome.error)")
        #expect(outcome.error.contains("among the test images"), "\(outcome.error)")
      }
      // The same archive under another name, and with others beside it.
      try place.write(try place.read("digits.tar"), to: "copy.tar")
      for calibration in [["digits.tar"], ["copy.tar"], ["train", "digits.tar"]] {
        check(
          calibration,
          try place.run(
            ["explore", "demo.onnx", "--devices", "2", "--images", "digits.tar", "--calibration"]
              + calibration, seconds: 60))
      }
      let plan = try place.run("plan", "demo.onnx", "--devices", "2", "-o", "plan")
      #expect(plan.status == .exited(0), "\(plan.error)")
      check(
        ["copy.tar"],
        try place.run(
          "study", "plan", "--model", "demo.onnx", "--images", "digits.tar", "--fill", "mean",
          "--calibration", "copy.tar", seconds: 60))
    }
  }

  @Test func aStoppedExplorationLeavesNothing() throws {
    try Workplace.with { place in
      try place.makeTrainingImages()
      let child = try place.start([
        "explore", "demo.onnx", "--devices", "8", "--calibration", "train", "--images",
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
