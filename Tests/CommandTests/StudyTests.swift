import Foundations
import Glibc
import JSONCoding
import Processes
import TensorFiles
import Testing

extension CommandTests {
  private func plan(
    _ place: Workplace, _ name: String, devices: Int, method: String = "lop"
  ) throws {
    let outcome = try place.run(
      "plan", "demo.onnx", "--devices", "\(devices)", "--method", method, "-o", name)
    try #require(outcome.status == .exited(0), "\(outcome.error)")
  }

  @Test func aStudyWritesTablesAndCharts() throws {
    try Workplace.with { place in
      try plan(place, "lop", devices: 3)
      try plan(place, "dealt", devices: 3, method: "interleaved")
      let outcome = try place.run(
        "study", "lop", "dealt", "--model", "demo.onnx", "--images", "digits.tar", "--reliability",
        "0.9", "--limit", "40", "--csv", "t.csv", "--svg", "t.svg", "--predictions", "p.tsv",
        "--json", seconds: 120)
      #expect(outcome.status == .exited(0), "\(outcome.error)")
      let report = try #require(outcome.json.first ?? nil)
      #expect(outcome.json.count == 1 && report["plans"] != nil)
      let csv = try FileSystem.readText(place.path("t.csv")).split(separator: "\n")
      #expect(csv.count == 1 + 2 * 7, "every set but that of all three")
      #expect(try FileSystem.readText(place.path("t.svg")).hasPrefix("<svg"))
      for name in ["lop", "dealt"] {
        let study = try FileSystem.readText(place.path(name + "/study.json"))
        #expect(study.contains("martlet-study"))
      }
      let lines = try FileSystem.readText(place.path("p.tsv")).split(separator: "\n")
      #expect(lines.count == 1 + 2 * 7 * 40)
    }
  }

  @Test func anUndamagedStudySaysWhatInferSays() throws {
    try Workplace.with { place in
      try plan(place, "plan", devices: 2)
      let study = try place.run(
        "study", "plan", "--model", "demo.onnx", "--images", "digits.tar", "--failures", "0",
        "--predictions", "p.tsv", "--json")
      #expect(study.status == .exited(0), "\(study.error)")
      let lines = try FileSystem.readText(place.path("p.tsv")).split(separator: "\n").dropFirst()
        .map { $0.split(separator: "\t", omittingEmptySubsequences: false) }
      let infer = try place.run("infer", "demo.onnx", "--images", "digits.tar")
      let right = lines.count { $0[3] == $0[4] }
      #expect(infer.output.contains("(\(right) of \(lines.count) labelled"), "\(right)")
    }
  }

  @Test func aStudyWithMeansReadsWell() throws {
    try Workplace.with { place in
      try place.makeTrainingImages()
      try plan(place, "plan", devices: 2)
      let outcome = try place.run(
        "study", "plan", "--model", "demo.onnx", "--images", "digits.tar", "--fill", "mean",
        "--calibration", "train", "--limit", "50", "--no-save", "--threads", "1",
        seconds: 120)
      #expect(outcome.status == .exited(0), "\(outcome.error)")
      for part in ["scenario C", "50 images", "mean fill", "worst", "d0", "copies: 1.00"] {
        #expect(outcome.output.contains(part), "\(part) is not in \(outcome.output)")
      }
      #expect(!FileSystem.exists(place.path("plan/study.json")))
    }
  }

  /// Contiguous parts have nobody to stand in: the frame of the loss is as later ones.
  @Test func aStudyOfTheFrameOfTheLossSaysBoth() throws {
    try Workplace.with { place in
      try plan(place, "plan", devices: 3)
      let outcome = try place.run(
        "study", "plan", "--model", "demo.onnx", "--images", "digits.tar", "--limit", "30",
        "--failures", "1", "--at-loss", "--csv", "t.csv", "--svg", "t.svg", seconds: 120)
      #expect(outcome.status == .exited(0), "\(outcome.error)")
      #expect(outcome.output.contains("in the frame in which the devices die"))
      let lines = try FileSystem.readText(place.path("t.csv")).split(separator: "\n")
        .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
      #expect(lines.count == 1 + 2 * 4 && lines[0].last == "moment")
      let correct = try #require(lines[0].firstIndex(of: "correct"))
      let later = lines.filter { $0.last == "later" }
      let loss = lines.filter { $0.last == "loss" }
      #expect(later.count == 4 && later.map { $0[correct] } == loss.map { $0[correct] })
      #expect(later.map { $0[correct + 6] } == loss.map { $0[correct + 6] }, "lost neurons")
      #expect(try FileSystem.readText(place.path("plan/study.json")).contains("\"at_loss\""))
      #expect(try FileSystem.readText(place.path("t.svg")).contains("frame of the loss"))
    }
  }

  @Test func badStudiesAreNamed() throws {
    try Workplace.with { place in
      try plan(place, "plan", devices: 2)
      try plan(place, "many", devices: 64)
      func study(_ arguments: String...) throws -> Outcome {
        let child = try place.start(["study"] + arguments)
        return try place.outcome(child.wait(timeout: .seconds(60)))
      }
      func check(_ outcome: Outcome, _ status: Int32, _ part: String) {
        #expect(outcome.status == .exited(status), "\(outcome.error)")
        #expect(outcome.error.contains(part), "\(part) is not in \(outcome.error)")
        #expect(outcome.error.hasPrefix("martlet: error: "))
      }
      let images = ["--images", "digits.tar"]
      check(
        try study("none", "--model", "demo.onnx", "--images", "digits.tar"), 66, "martlet plan")
      check(
        try study("plan", "--model", "missing.onnx", "--images", "digits.tar"), 66, "missing.onnx")
      try place.write(try place.read("demo.onnx") + [0], to: "other.onnx")
      check(
        try study("plan", "--model", "other.onnx", "--images", "digits.tar"), 65, "another model")
      let rows = try place.run(
        "plan", "demo.onnx", "--devices", "2", "--strips", "all", "-o", "rows")
      try #require(rows.status == .exited(0), "\(rows.error)")
      check(
        try study("plan", "rows", "--model", "demo.onnx", "--images", "digits.tar"), 65,
        "row strips")
      let pairs = try place.run(
        "plan", "demo.onnx", "--devices", "2", "--pairs", "all", "-o", "pairs")
      try #require(pairs.status == .exited(0), "\(pairs.error)")
      check(
        try study("plan", "pairs", "--model", "demo.onnx", "--images", "digits.tar"), 65, "pairs")
      check(
        try study("many", "--model", "demo.onnx", "--images", "digits.tar"), 64, "--failures 2")
      check(
        try study(
          "plan", "--model", "demo.onnx", "--images", "digits.tar", "--reliability", "1,1,1"), 64,
        "another number of devices")
      try FileSystem.createFolder(place.path("flat"))
      try place.write([1], to: "flat/x.png")
      check(try study("plan", "--model", "demo.onnx", "--images", "flat"), 66, "has a label")
      for wrong in [
        ["--failures", "1", "--all"], ["--reliability", "2"], ["--fill", "mean"], ["--limit", "0"],
        ["--calibration", "train"], ["--threads", "0"], ["--row-fill", "zero"],
        ["--replicas", "active"], ["--at-loss", "--row-fill", "blue"],
      ] {
        let child = try place.start(["study", "plan", "--model", "demo.onnx"] + images + wrong)
        let outcome = try place.outcome(child.wait(timeout: .seconds(20)))
        #expect(outcome.status == .exited(64), "\(wrong): \(outcome.error)")
      }
    }
  }

  @Test func aStoppedStudyLeavesNothing() throws {
    try Workplace.with { place in
      try plan(place, "plan", devices: 12)
      let study = try place.start([
        "study", "plan", "--model", "demo.onnx", "--images", "digits.tar", "--all", "--threads",
        "1", "--csv", "t.csv", "--svg", "t.svg",
      ])
      defer { study.stop(patience: .zero) }
      // It has 4095 failure sets to go through.
      try #require(study.wait(timeout: .milliseconds(700)) == nil)
      study.signal(SIGINT)
      let outcome = try place.outcome(study.wait(timeout: .seconds(20)))
      #expect(outcome.status == .exited(130), "\(outcome.error)")
      #expect(!FileSystem.exists(place.path("t.csv")) && !FileSystem.exists(place.path("t.svg")))
      let files = try FileSystem.list(place.path("plan")).map(\.path)
      #expect(!files.contains { $0.hasPrefix("study") })
    }
  }
}
