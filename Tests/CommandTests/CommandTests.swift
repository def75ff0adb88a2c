import Glibc
import JSONCoding
import Processes
import TensorFiles
import Tensors
import Testing

/// The executable as people use it. One test at a time: they share the machine's cores.
@Suite(.serialized) struct CommandTests {
  private func check(
    _ outcome: Outcome, _ status: Int32, _ parts: String...,
    location: SourceLocation = #_sourceLocation
  ) {
    #expect(outcome.status == .exited(status), "\(outcome.error)", sourceLocation: location)
    for part in parts {
      #expect(
        outcome.error.contains(part), "\(part) is not in \(outcome.error)",
        sourceLocation: location)
    }
    if status != 64 {
      // One line, with a beginning that scripts can find; wrong usage has the usage below it.
      #expect(outcome.error.hasPrefix("martlet: error: "), sourceLocation: location)
      #expect(
        outcome.error.split(separator: "\n").count == 1, "\(outcome.error)",
        sourceLocation: location)
    }
  }

  // MARK: Models

  @Test func badModelsAreNamed() throws {
    try Workplace.with { place in
      try place.write(Array("this is no model".utf8), to: "text.onnx")
      try place.write([], to: "empty.onnx")
      let model = try place.read("demo.onnx")
      for count in [model.count - 1, model.count / 2, 100, 10] {
        try place.write(Array(model.prefix(count)), to: "short.onnx")
        check(try place.run("describe", "short.onnx"), 65, "short.onnx")
      }
      check(try place.run("describe", "text.onnx"), 65, "text.onnx")
      check(try place.run("infer", "text.onnx", "--images", "digits.tar"), 65, "text.onnx")
      check(try place.run("plan", "text.onnx", "--devices", "2", "-o", "p"), 65, "text.onnx")
      check(try place.run("describe", "empty.onnx"), 65, "empty.onnx")
      check(try place.run("describe", "missing.onnx"), 66, "missing.onnx")
      check(try place.run("infer", "missing.onnx", "--images", "digits.tar"), 66, "missing.onnx")
      check(try place.run("plan", "missing.onnx", "--devices", "2", "-o", "p"), 66, "missing.onnx")
      #expect(!FileSystem.exists(place.path("p")) && !FileSystem.exists(place.path("p.partial")))
    }
  }

  // MARK: Usage

  @Test(arguments: [
    ["describe", "demo.onnx", "--no-such-option"], ["no-such-command"], ["describe"],
    ["infer", "demo.onnx"], ["plan", "demo.onnx", "-o", "p"],
    ["plan", "demo.onnx", "--devices", "0", "-o", "p"],
    ["plan", "demo.onnx", "--devices", "two", "-o", "p"],
    ["plan", "demo.onnx", "--devices", "2", "--shares", "1,x", "-o", "p"],
    ["plan", "demo.onnx", "--devices", "2", "--shares", "1,-1", "-o", "p"],
    ["plan", "demo.onnx", "--devices", "2", "--shares", "0,0", "-o", "p"],
    ["plan", "demo.onnx", "--names", "A B,c", "-o", "p"],
    ["plan", "demo.onnx", "--names", "a,a", "-o", "p"],
    ["plan", "demo.onnx", "--devices", "2", "--method", "magic", "-o", "p"],
    ["demo", "--frames", "0"], ["demo", "--devices", "1"], ["demo", "--model", "demo.onnx"],
    ["worker", "--device", "d0"], ["gateway", "--broker", "unix:/x"], ["devices"],
    ["gateway", "--broker", "unix:/x", "--plan", "p", "--in-flight", "0"],
    ["call", "health", "d0", "--broker", "unix:/x"],
    ["call", "health/check", "d0", "{}", "--file", "x", "--broker", "unix:/x"],
    ["call", "health/check", "d0", "{", "--broker", "unix:/x"],
    ["call", "health/check", "d0", "--deadline", "0s", "--broker", "unix:/x"],
    ["call", "health/check", "D0", "--broker", "unix:/nonexistent", "--patience", "10ms"],
    ["call", "health/check", "d0", "--metadata", "x", "--broker", "unix:/x"],
    ["score", "demo.onnx", "-o", "p"],
    ["score", "demo.onnx", "--calibration", "digits.tar", "-o", "p", "--s3-images", "-1"],
  ])
  func wrongUsageEndsWith64(_ arguments: [String]) throws {
    try Workplace.with { place in
      let child = try place.start(arguments)
      let outcome = try place.outcome(child.wait(timeout: .seconds(20)))
      #expect(outcome.status == .exited(64), "\(outcome.error)")
      #expect(outcome.error.lowercased().contains("error"), "\(outcome.error)")
      #expect(!FileSystem.exists(place.path("p")))
    }
  }

  @Test(
    arguments: [
      "demo", "infer", "describe", "score", "plan", "study", "explore", "worker", "run", "bench",
      "call", "gateway", "devices",
    ])
  func helpHasExamples(_ command: String) throws {
    try Workplace.with { place in
      let outcome = try place.run(command, "--help")
      #expect(outcome.status == .exited(0))
      #expect(outcome.output.contains("Examples:"))
      #expect(outcome.output.contains("martlet \(command)"))
    }
  }

  // MARK: Plans

  @Test func badPlansAreNamed() throws {
    try Workplace.with { place in
      func make(_ name: String, _ devices: String = "2") throws {
        let outcome = try place.run("plan", "demo.onnx", "--devices", devices, "-o", name)
        try #require(outcome.status == .exited(0), "\(outcome.error)")
      }
      func worker(_ plan: String, _ device: String = "d0") throws -> Outcome {
        try place.run(
          "worker", "--broker", "unix:/nonexistent", "--plan", plan, "--device", device,
          "--patience", "100ms")
      }
      func client(_ plan: String) throws -> Outcome {
        try place.run(
          "run", "--broker", "unix:/nonexistent", "--plan", plan, "--images", "digits.tar",
          "--patience", "100ms")
      }
      check(try worker("missing"), 66, "missing", "martlet plan")
      check(try client("missing"), 66, "missing", "martlet plan")

      try make("plan")
      check(try worker("plan", "d9"), 66, "d9", "d0, d1")

      try make("version")
      let changed = try ["\"version\": 2", "\"version\" : 2", "\"version\":2"].contains {
        try place.replace($0, with: "\"version\":5", in: "version/plan.json")
      }
      try #require(changed)
      check(try worker("version"), 65, "version 5", "install the martlet")

      try make("edited")
      try #require(
        try place.replace("interleaved", with: "interwoven", in: "edited/plan.json"))
      check(try worker("edited"), 65, "changed after it was made")
      check(try client("edited"), 65, "changed after it was made")

      try make("cut")
      try place.write(Array(try place.read("cut/plan.json").dropLast(200)), to: "cut/plan.json")
      check(try worker("cut"), 65, "cut/plan.json")
      try place.write(Array("{}".utf8), to: "cut/plan.json")
      check(try worker("cut"), 65, "cut/plan.json")

      try make("other", "3")
      try place.write(try place.read("other/d0.safetensors"), to: "plan/d0.safetensors")
      check(try worker("plan"), 65, "d0.safetensors", "another plan")
      var shard = try place.read("plan/d1.safetensors")
      shard[shard.count / 2] ^= 1
      try place.write(shard, to: "plan/d1.safetensors")
      check(try worker("plan", "d1"), 65, "d1.safetensors", "corrupt")
      try FileSystem.remove(place.path("plan/d1.safetensors"))
      check(try worker("plan", "d1"), 66, "d1.safetensors", "missing")
    }
  }

  @Test func otherPeoplesFoldersAreLeftAlone() throws {
    try Workplace.with { place in
      try FileSystem.createFolder(place.path("photos"))
      try place.write([1], to: "photos/cat.jpg")
      check(
        try place.run("plan", "demo.onnx", "--devices", "2", "-o", "photos"), 64, "left alone")
      check(
        try place.run("plan", "demo.onnx", "--devices", "2", "-o", "demo.json"), 64, "is a file")
      #expect(try place.read("photos/cat.jpg") == [1])
      // An earlier plan is replaced if that is meant.
      for devices in ["2", "3"] {
        let outcome = try place.run(
          "plan", "demo.onnx", "--devices", devices, "-o", "plan", "--force")
        #expect(outcome.status == .exited(0), "\(outcome.error)")
      }
      #expect(FileSystem.exists(place.path("plan/d2.safetensors")))
    }
  }

  @Test func moreDevicesThanNeuronsArePlanned() throws {
    try Workplace.with { place in
      for method in ["lop", "interleaved"] {
        let outcome = try place.run(
          "plan", "demo.onnx", "--devices", "13", "--method", method, "-o", method, "--json")
        #expect(outcome.status == .exited(0), "\(outcome.error)")
        #expect(outcome.json.count == 1 && outcome.json[0]?["devices"] != nil)
      }
    }
  }

  // MARK: Images and brokers

  @Test func filesThatAreNoInputsAreNamed() throws {
    try Workplace.with { place in
      try place.write([UInt8](repeating: 7, count: 2000), to: "bad.tar")
      check(try place.run("infer", "demo.onnx", "--images", "bad.tar"), 65, "bad.tar")
      check(try place.run("infer", "demo.onnx", "--images", "missing.png"), 66, "missing.png")
      try place.write(Array("no tensor".utf8), to: "bad.npy")
      check(try place.run("infer", "demo.onnx", "--tensor", "bad.npy"), 65, "bad.npy")
      try NumpyFile.write(
        place.path("whole.npy"), Tensor([1, 1, 28, 28], [Int64](repeating: 1, count: 784)))
      check(
        try place.run("infer", "demo.onnx", "--tensor", "whole.npy"), 65, "whole.npy",
        ".astype('float32')")
    }
  }

  @Test func anUnreachableBrokerEndsThePatience() throws {
    try Workplace.with { place in
      let plan = try place.run("plan", "demo.onnx", "--devices", "2", "-o", "plan")
      try #require(plan.status == .exited(0), "\(plan.error)")
      for broker in ["unix:/nonexistent/mqtt.sock", "mqtt://127.0.0.1:1"] {
        let start = ContinuousClock.now
        let worker = try place.run(
          "worker", "--broker", broker, "--plan", "plan", "--device", "d0", "--patience", "1s",
          "--log-level", "error")
        check(worker, 69)
        let client = try place.run(
          "run", "--broker", broker, "--plan", "plan", "--images", "digits.tar", "--patience",
          "1s", "--log-level", "error")
        check(client, 69)
        #expect(ContinuousClock.now - start < .seconds(6))
      }
    }
  }

  @Test func aBadImageEndsNoRun() throws {
    try Workplace.with { place in
      let plan = try place.run("plan", "demo.onnx", "--devices", "1", "-o", "plan")
      try #require(plan.status == .exited(0), "\(plan.error)")
      try place.write(Array("no image".utf8), to: "bad.png")
      try place.withWorkers { _, broker in
        let common = ["run", "--broker", broker.socketAddress, "--plan", "plan", "--json"]
        func run(_ options: String...) throws -> Outcome {
          let child = try place.start(common + options, name: "client")
          return try place.outcome(child.wait(timeout: .seconds(20)), name: "client")
        }
        let bad = try run("--images", "bad.png", "digits.tar", "bad.png", "--frames", "20")
        #expect(bad.status == .exited(1), "\(bad.error)")
        #expect(bad.error.contains("passing over bad.png: neither a JPEG nor a PNG"))
        #expect(bad.json.count == 20 && !bad.json.contains(nil))
        #expect(bad.json.last??["frames"] == .integer(19))
        #expect(bad.json.last??["unreadable_images"] == .integer(1))
        let none = try run("--images", "bad.png")
        #expect(none.status == .exited(1) && none.json.count == 1, "\(none.error)")
        let good = try run("--images", "digits.tar", "--frames", "20")
        #expect(good.status == .exited(0), "\(good.error)")
        #expect(good.json.count == 21 && !good.json.contains(nil))
        #expect(good.json.last??["frames_per_second"] != nil)
        #expect(good.json.last??["unreadable_images"] == .integer(0))
      }
    }
  }

  /// The zeros of one sample and the ones of another, as a table with labels.
  @Test func samplesOfATableAreAnswered() throws {
    try Workplace.with { place in
      let plan = try place.run("plan", "demo.onnx", "--method", "vertical", "-o", "plan")
      try #require(plan.status == .exited(0), "\(plan.error)")
      let values = (0..<2).flatMap { [Float](repeating: Float($0), count: 784) }
      try NumpyFile.write(place.path("x.npy"), Tensor([2, 784], values))
      try NumpyFile.write(place.path("y.npy"), Tensor([2], [Int64(3), 8]))
      try NumpyFile.write(place.path("short.npy"), Tensor([2, 3], [Float](repeating: 0, count: 6)))
      try place.withWorkers { _, broker in
        func run(_ options: String...) throws -> Outcome {
          let child = try place.start(
            ["run", "--broker", broker.socketAddress, "--plan", "plan", "--json"] + options,
            name: "client")
          return try place.outcome(child.wait(timeout: .seconds(20)), name: "client")
        }
        let outcome = try run("--samples", "x.npy", "--sample-labels", "y.npy")
        #expect(outcome.status == .exited(0), "\(outcome.error)")
        #expect(outcome.json.count == 3 && outcome.json.first??["truth"] == .integer(3))
        #expect(outcome.json.first??["guessed"] == .bool(false))
        #expect(outcome.json.last??["guesses"] == .integer(0))
        check(try run("--samples", "short.npy"), 65, "short.npy")
        check(try run("--samples", "x.npy", "--sample-labels", "x.npy"), 65, "label")
        check(try run("--samples", "x.npy", "--images", "digits.tar"), 64, "either")
        check(try run("--sample-labels", "y.npy", "--images", "digits.tar"), 64, "--samples")
        check(try run("--samples", "x.npy", "--in-process"), 64, "either")
        check(try run("--samples", "x.npy", "--without", "fog"), 64, "--in-process")
        // What a deployment answers, without one.
        let local = [
          "run", "--in-process", "--plan", "plan", "--samples", "x.npy", "--sample-labels", "y.npy",
          "--json",
        ]
        let same = try place.run(local)
        #expect(same.status == .exited(0), "\(same.error)")
        #expect(same.json.map { $0?["top5"] } == outcome.json.map { $0?["top5"] })
        #expect(same.json.last??["correct"] == outcome.json.last??["correct"])
        let guesses = try place.run(local + ["--without", "fog"])
        #expect(guesses.json.first??["guessed"] == .bool(true))
        #expect(guesses.json.last??["guesses"] == .integer(2))
        check(try place.run(local + ["--without", "fog,moon"]), 66, "moon")
      }
    }
  }

  // MARK: JSON

  @Test func jsonOutputIsJSON() throws {
    try Workplace.with { place in
      let infer = try place.run("infer", "demo.onnx", "--images", "digits.tar", "--json")
      #expect(infer.status == .exited(0), "\(infer.error)")
      #expect(infer.json.count > 100 && !infer.json.contains(nil))
      #expect(infer.json.first??["top5"] != nil)
      #expect(infer.json.last??["accuracy"] != nil)
      for arguments in [["--json"], ["--json", "--time"]] {
        let child = try place.start(["describe", "demo.onnx"] + arguments)
        let describe = try place.outcome(child.wait(timeout: .seconds(20)))
        #expect(describe.status == .exited(0), "\(describe.error)")
        #expect(describe.json.count == 1 && describe.json[0]?["nodes"] != nil)
      }
      let plan = try place.run("plan", "demo.onnx", "--devices", "3", "-o", "plan", "--json")
      #expect(plan.json.count == 1 && plan.json[0]?["plan"] != nil)
    }
  }
}
