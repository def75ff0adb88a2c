import Foundations
import Glibc
import JSONCoding
import Processes
import TensorFiles
import Testing

extension CommandTests {
  private func check(
    _ outcome: Outcome, _ status: Int32, _ parts: String...,
    location: SourceLocation = #_sourceLocation
  ) {
    #expect(outcome.status == .exited(status), "\(outcome.error)", sourceLocation: location)
    for part in parts {
      #expect(outcome.error.contains(part), "\(outcome.error)", sourceLocation: location)
    }
  }

  @Test(arguments: [
    ["replicate"], ["whole"], ["cdc"], ["coded"], ["coded", "--tolerate", "2"],
    ["robustdice", "--importance", "s1"],
    ["robustdice", "--importance", "s1", "--memory", "300kB"],
    ["robustdice", "--importance", "s1", "--threshold", "0.2"],
    [
      "budget", "--copies", "1.5", "--survive", "2", "--calibration", "digits.tar",
      "--calibration-limit", "16",
    ],
    ["interleaved", "--fill", "mean", "--calibration", "digits.tar", "--calibration-limit", "8"],
  ])
  func everyMethodPlansAndIsStudied(_ method: [String]) throws {
    try Workplace.with { place in
      let planned = try place.run(
        ["plan", "demo.onnx", "--devices", "4", "-o", "plan", "--json", "--method"] + method,
        seconds: 120)
      try #require(planned.status == .exited(0), "\(planned.error)")
      let report = try #require(planned.json.first ?? nil)
      #expect(report["copies"] != nil && report["method"] != nil)
      let studied = try place.run(
        "study", "plan", "--model", "demo.onnx", "--images", "digits.tar", "--limit", "32",
        "--failures", "1", seconds: 120)
      #expect(studied.status == .exited(0), "\(studied.error)")
    }
  }

  @Test func wholeFramesLoseNothingDownToOneDevice() throws {
    try Workplace.with { place in
      let planned = try place.run(
        "plan", "demo.onnx", "--devices", "3", "--method", "whole", "-o", "plan", "--json")
      try #require(planned.status == .exited(0), "\(planned.error)")
      let run = ["run", "--in-process", "--plan", "plan", "--images", "digits.tar"]
      let all = try place.run(run + ["--frames", "8", "--json"])
      let one = try place.run(run + ["--without", "d0,d2", "--frames", "8", "--json"])
      for outcome in [all, one] {
        try #require(outcome.status == .exited(0), "\(outcome.error)")
        #expect(outcome.json.last??["frames"] == .integer(8))
        #expect(outcome.json.last??["degraded_frames"] == .integer(0))
      }
      #expect(all.json.last??["correct"] == one.json.last??["correct"])
      check(try place.run(run + ["--in-flight", "0"]), 64, "--in-flight")
      check(try place.run(run + ["--in-flight", "many"]), 64, "--in-flight")
    }
  }

  @Test func aBudgetMayNotBeBelowOneCopy() throws {
    try Workplace.with { place in
      let outcome = try place.run(
        "plan", "demo.onnx", "--devices", "4", "-o", "plan", "--method", "budget", "--memory",
        "1kB", "--calibration", "digits.tar", "--calibration-limit", "4", seconds: 120)
      check(outcome, 64, "minimum")
      #expect(!FileSystem.exists(place.path("plan")))
    }
  }

  @Test func whatAMethodNeedsIsSaid() throws {
    try Workplace.with { place in
      func plan(_ options: String...) throws -> Outcome {
        try place.run(["plan", "demo.onnx", "--devices", "3", "-o", "plan"] + options)
      }
      check(try plan("--method", "robustdice"), 64, "martlet score")
      check(try plan("--method", "budget"), 64, "--calibration")
      check(try plan("--method", "lop", "--tolerate", "1"), 64, "--tolerate is for --method coded")
      check(try plan("--method", "coded", "--tolerate", "3"), 64, "tolerate 0 to 2")
      check(
        try plan("--method", "coded", "--shares", "2,1,1"), 64, "equal shares")
      check(
        try plan(
          "--method", "robustdice", "--importance", "s1", "--copies", "2", "--memory", "1MB"),
        64, "one of")
      try FileSystem.createFolder(place.path("empty"))
      check(
        try plan("--method", "budget", "--calibration", "empty"), 66, "empty")
      try FileSystem.write(
        Array("{\"model_sha256\": \"00\", \"thresholds\": {}, \"default\": 1}".utf8),
        to: place.path("thresholds.json"))
      check(
        try plan(
          "--method", "robustdice", "--importance", "s1", "--thresholds", "thresholds.json"), 65,
        "another model")
      #expect(!FileSystem.exists(place.path("plan")))
    }
  }

  @Test func limitsNameTheirMinimum() throws {
    try Workplace.with { place in
      for limit in [["--multiply-adds", "10"], ["--traffic", "1kB", "--limits", "healthy"]] {
        let outcome = try place.run(
          [
            "plan", "demo.onnx", "--devices", "4", "-o", "plan", "--method", "budget",
            "--calibration", "digits.tar", "--calibration-limit", "4",
          ] + limit, seconds: 120)
        check(outcome, 64, "minimum", "missing devices")
        #expect(!FileSystem.exists(place.path("plan")))
      }
    }
  }

  /// How images become inputs is said once, on standard error or in the summary, with where it is from.
  @Test func preprocessingIsToldWithItsOrigin() throws {
    func note(_ outcome: Outcome) -> [Substring] {
      outcome.error.split(separator: "\n").filter { $0.hasPrefix("martlet: preprocessing from ") }
    }
    let steps =
      "grey, resized to 28x28 (bilinear), times 0.003921569, minus 0.1307, divided by 0.3081"
    try Workplace.with { place in
      try place.write(try place.read("demo.onnx"), to: "bare.onnx")
      try place.write(
        Array(
          #"{"channels":1,"resizeExact":[28,28],"mean":[0.5],"deviation":[0.25],"scale":0.5,"#.utf8)
          + Array(#""interpolation":"bicubic"}"#.utf8), to: "p.json")
      for (model, plan) in [("demo.onnx", "known"), ("bare.onnx", "guessed")] {
        let outcome = try place.run("plan", model, "--devices", "2", "-o", plan)
        try #require(outcome.status == .exited(0), "\(outcome.error)")
      }
      let images = ["--images", "digits.tar"]
      let card = try place.run(["infer", "demo.onnx"] + images)
      #expect(note(card) == ["martlet: preprocessing from demo.json: \(steps)"], "\(card.error)")
      let option = try place.run(["infer", "demo.onnx", "--preprocessing", "p.json"] + images)
      #expect(
        note(option) == [
          "martlet: preprocessing from p.json (--preprocessing): grey, resized to 28x28 (bicubic), "
            + "times 0.5, minus 0.5, divided by 0.25"
        ], "\(option.error)")
      let run = ["run", "--in-process", "--frames", "2", "--plan"]
      let known = try place.run(run + ["known"] + images)
      #expect(note(known).count == 1, "\(known.error)")
      #expect(note(known).first?.hasSuffix(": " + steps) == true, "\(known.error)")
      let guessed = try place.run(run + ["guessed"] + images)
      #expect(note(guessed).count == 1, "\(guessed.error)")
      for part in [
        "from plan ", "times 0.003921569, minus 0.0, divided by 1.0;",
        "martlet plan --preprocessing FILE sets another",
      ] {
        #expect(guessed.error.contains(part), "\(part) is not in \(guessed.error)")
      }

      for (arguments, from, isDefault) in [
        (["infer", "demo.onnx"], "card", false), (["infer", "bare.onnx"], "default", true),
        (["infer", "demo.onnx", "--preprocessing", "p.json"], "option", false),
        (run + ["known"], "plan", false), (run + ["guessed"], "plan", true),
      ] {
        let outcome = try place.run(arguments + ["--json"] + images)
        let told = outcome.json.last??["preprocessing"]
        #expect(told?["from"] == .string(from), "\(outcome.output.suffix(300))")
        #expect(told?["is_default"] == .bool(isDefault), "\(outcome.output.suffix(300))")
        #expect(note(outcome).isEmpty, "\(outcome.error)")
      }
    }
  }

  @Test func whatNothingSaysOfAModelIsTold() throws {
    try Workplace.with { place in
      try place.write(try place.read("demo.onnx"), to: "bare.onnx")
      for command in [
        ["plan", "bare.onnx", "--devices", "2", "-o", "plan"],
        ["infer", "bare.onnx", "--images", "digits.tar"],
      ] {
        let bare = try place.run(command)
        #expect(bare.status == .exited(0), "\(bare.error)")
        for part in ["--preprocessing FILE or bare.json beside it", "10 classes", "--labels FILE"] {
          #expect(bare.error.contains(part), "\(part) is not in \(bare.error)")
        }
      }
      let known = try place.run("plan", "demo.onnx", "--devices", "2", "-o", "known")
      #expect(known.status == .exited(0) && known.error.isEmpty, "\(known.error)")
    }
  }

  @Test func moreFailuresThanDevicesCannotBeSurvived() throws {
    try Workplace.with { place in
      for survive in ["4", "5"] {
        let outcome = try place.run(
          "plan", "demo.onnx", "--devices", "4", "-o", "plan", "--method", "budget", "--survive",
          survive, "--calibration", "digits.tar", "--calibration-limit", "4")
        check(outcome, 64, "4 devices cannot survive \(survive) failures", "--survive 1 to 3")
        #expect(!FileSystem.exists(place.path("plan")))
      }
    }
  }

  @Test func calibrationByOneImageWorks() throws {
    try Workplace.with { place in
      let outcome = try place.run(
        "plan", "demo.onnx", "--devices", "3", "-o", "plan", "--method", "budget", "--survive", "2",
        "--copies", "1.7", "--traffic", "1MB", "--fill", "mean", "--calibration", "digits.tar",
        "--calibration-limit", "1", seconds: 120)
      #expect(outcome.status == .exited(0), "\(outcome.error)")
    }
  }

  @Test func aModelIsCutBetweenTiers() throws {
    try Workplace.with { place in
      let planned = try place.run(
        "plan", "demo.onnx", "--method", "vertical", "-o", "plan", "--json")
      try #require(planned.status == .exited(0), "\(planned.error)")
      let text = try FileSystem.readText(place.path("plan/plan.json"))
      for part in ["\"edge\"", "\"fog\"", "\"cloud\"", "\"nodes\""] {
        #expect(text.contains(part), "\(part)")
      }
      let studied = try place.run(
        "study", "plan", "--model", "demo.onnx", "--images", "digits.tar", "--reliability",
        "0.9,0.8,1", "--json", seconds: 120)
      try #require(studied.status == .exited(0), "\(studied.error)")
      // Vanilla: an answer with probability 0.72, else a guess among ten digits.
      let report = try #require(studied.json.first ?? nil)
      guard case .array(let plans)? = report["plans"], let plan = plans.first,
        case .array(let sets)? = plan["sets"],
        case .number(let expected)? = plan["expected_accuracy"],
        case .number(let whole)? = sets.first?["top1"]?["accuracy"]
      else {
        Issue.record("\(studied.output)")
        return
      }
      #expect(abs(expected - (0.72 * whole + 0.28 * 0.1)) < 1e-9)
      #expect(sets.dropFirst().allSatisfy { $0["guess"] == .bool(true) })
    }
  }

  @Test func badCutsAreNamed() throws {
    try Workplace.with { place in
      func plan(_ options: String...) throws -> Outcome {
        try place.run(["plan", "demo.onnx", "-o", "plan"] + options)
      }
      check(try plan("--method", "vertical", "--cuts", "nowhere"), 66, "nowhere")
      check(try plan("--method", "vertical", "--devices", "1"), 64, "--cuts")
      check(try plan("--method", "vertical", "--tiers", "edge,cloud", "--devices", "3"), 64, "tier")
      check(try plan("--method", "lop", "--devices", "2", "--cuts", "x"), 64, "vertical")
      #expect(!FileSystem.exists(place.path("plan")))
    }
  }

  @Test func moreDevicesThanNeuronsAreFine() throws {
    try Workplace.with { place in
      for method in [["coded", "--tolerate", "2"], ["cdc"], ["robustdice", "--importance", "s1"]] {
        let outcome = try place.run(
          ["plan", "demo.onnx", "--devices", "12", "-o", "plan", "--force", "--method"] + method)
        #expect(outcome.status == .exited(0), "\(outcome.error)")
      }
    }
  }
}
