import JSONCoding
import Processes
import TensorFiles
import TestSupport
import Testing

/// What stands where a command writes.
@Suite(.serialized) struct OverwriteTests {
  private func plan(_ place: Workplace, _ devices: Int, _ more: String...) throws -> Outcome {
    try place.run(
      ["plan", "demo.onnx", "--devices", "\(devices)", "-o", "plan", "--json"] + more)
  }

  private func id(_ outcome: Outcome) -> JSONValue? { outcome.json.first??["plan"] }

  @Test func aPlanIsReplacedOnlyWhenThatIsMeant() throws {
    try Workplace.with { place in
      let first = try plan(place, 2)
      #expect(first.status == .exited(0), "\(first.error)")
      let before = try place.read("plan/plan.json")
      let second = try plan(place, 3)
      #expect(second.status == .exited(64), "\(second.error)")
      #expect(second.error.contains("exists already") && second.error.contains("--force"))
      #expect(try place.read("plan/plan.json") == before)
      #expect(!FileSystem.exists(place.path("plan/d2.safetensors")))
      let third = try plan(place, 3, "--force")
      #expect(third.status == .exited(0) && id(third) != id(first), "\(third.error)")
      #expect(FileSystem.exists(place.path("plan/d2.safetensors")))
      let names = try FileSystem.list(place.path("."), recursive: false).map(\.path)
      #expect(!names.contains { $0.hasSuffix(".partial") || $0.hasSuffix(".old") }, "\(names)")
    }
  }

  @Test(arguments: [
    ["study", "plan", "--model", "demo.onnx", "--images", "digits.tar", "--svg", "taken"],
    ["study", "plan", "--model", "demo.onnx", "--images", "digits.tar", "--csv", "taken"],
    ["study", "plan", "--model", "demo.onnx", "--images", "digits.tar", "--predictions", "taken"],
    [
      "explore", "demo.onnx", "--devices", "2", "--calibration", "x", "--images", "digits.tar",
      "--csv", "taken",
    ],
    ["infer", "demo.onnx", "--tensor", "x.npy", "--output", "taken"],
    ["fog", "describe", "t.json", "--svg", "taken"],
    ["fog", "train", "t.json", "--data", "data", "-o", "taken"],
    ["fog", "evaluate", "m.fog", "--data", "data", "--svg", "taken"],
    ["fog", "plan", "m.fog", "-o", "plan"],
    ["report", "--from", "x.rec", "--html", "taken"],
    ["bench", "chaos", "--json", "taken"],
    ["bench", "deadline", "--svg", "taken"],
    ["bench", "wire", "--reference", "x", "--json", "taken"],
  ])
  func everyOutputIsLeftAsItIs(_ arguments: [String]) throws {
    try Workplace.with { place in
      try #require(try plan(place, 2).status == .exited(0))
      try place.write(Array("precious".utf8), to: "taken")
      let outcome = try place.run(arguments)
      #expect(outcome.status == .exited(64), "\(arguments): \(outcome.error)")
      #expect(outcome.error.contains("exists already"), "\(arguments): \(outcome.error)")
      #expect(try place.read("taken") == Array("precious".utf8))
    }
  }

  @Test func atATerminalSomebodyIsAsked() throws {
    try Workplace.with { place in
      try #require(try plan(place, 2).status == .exited(0))
      let before = try place.read("plan/plan.json")
      for (answer, isReplaced) in [(UInt8(ascii: "n"), false), (UInt8(ascii: "y"), true)] {
        let terminal = try Pseudoterminal(columns: 100, rows: 30)
        let child = try terminal.start(
          try martletExecutable(),
          ["plan", place.path("demo.onnx"), "--devices", "3", "-o", place.path("plan")])
        defer { child.stop(patience: .zero) }
        #expect(terminal.wait { $0.contains("Replace it? [y/N]") }, "\(terminal.output)")
        terminal.type(answer, 13)
        var status: Processes.ExitStatus?
        _ = terminal.wait { _ in
          status = child.wait(timeout: .milliseconds(10))
          return status != nil
        }
        #expect(status == .exited(isReplaced ? 0 : 64), "\(terminal.output)")
        #expect((try place.read("plan/plan.json") != before) == isReplaced)
      }
    }
  }

  @Test func devicesArePouredIntoAndNotReplaced() throws {
    try Workplace.with { place in
      let outcome = try place.run(
        "fog", "describe", "t.json", "--svg", "/dev/null")
      // The topology is missing; the output is no reason.
      #expect(outcome.status == .exited(66) && !outcome.error.contains("exists already"))
      try FileSystem.write([1, 2, 3], to: "/dev/null")
      #expect(FileSystem.exists("/dev/null") && !FileSystem.isRegularFile("/dev/null"))
    }
  }
}
