import Glibc
import Processes
import TensorFiles
import TestSupport
import Testing

/// What becomes of output that cannot be written.
@Suite(.serialized) struct OutputTests {
  /// Commands that print, in a folder with a plan.
  private static let commands = [
    ["--help"], ["--version"], ["help", "plan"], ["describe", "demo.onnx"],
    ["describe", "demo.onnx", "--json"], ["describe", "--operators"],
    ["describe", "--operators", "--json"], ["infer", "demo.onnx", "--images", "digits.tar"],
    ["infer", "demo.onnx", "--images", "digits.tar", "--json"],
    ["run", "--in-process", "--plan", "plan", "--images", "digits.tar", "--frames", "20"],
    [
      "run", "--in-process", "--plan", "plan", "--images", "digits.tar", "--frames", "20", "--json",
    ],
    ["plan", "demo.onnx", "--devices", "2", "-o", "other"],
    [
      "study", "plan", "--model", "demo.onnx", "--images", "digits.tar", "--limit", "8",
      "--no-save",
    ],
    ["score", "demo.onnx", "--s2-images", "0", "--s3-images", "0", "-o", "scores.json"],
  ]

  /// What stands on standard error besides how images become inputs.
  private func errors(_ place: Workplace) throws -> String {
    try FileSystem.readText(place.path("run.err")).split(
      separator: "\n", omittingEmptySubsequences: false
    ).filter { !$0.hasPrefix("martlet: preprocessing from ") }.joined(separator: "\n")
  }

  /// Runs each of the commands with an output that `open` gives.
  private func forEach(
    _ commands: [[String]] = commands, output: (Workplace) throws -> ChildProcess.Output,
    _ check: ([String], Processes.ExitStatus?, String) -> Void
  ) throws {
    try Workplace.with { place in
      let plan = try place.run("plan", "demo.onnx", "--devices", "2", "-o", "plan")
      try #require(plan.status == .exited(0), "\(plan.error)")
      for arguments in commands {
        let child = try ChildProcess(
          .init(
            executable: try martletExecutable(), arguments: arguments, folder: place.folder,
            standardOutput: try output(place), standardError: .file(place.path("run.err"))))
        let status = child.wait(timeout: .seconds(60))
        if status == nil { child.stop(patience: .zero) }
        check(arguments, status, try errors(place))
      }
    }
  }

  @Test func aFullDiskIsAnError() throws {
    try forEach(output: { _ in .file("/dev/full") }) { arguments, status, error in
      #expect(status == .exited(74), "\(arguments): \(error)")
      #expect(
        error == "martlet: error: cannot write to standard output: No space left on device\n",
        "\(arguments)")
    }
  }

  @Test func aReaderThatHasGoneEndsTheCommandQuietly() throws {
    var ends: [Int32] = [-1, -1]
    try #require(pipe(&ends) == 0)
    close(ends[0])
    defer { close(ends[1]) }
    try forEach(output: { _ in .descriptor(ends[1]) }) { arguments, status, error in
      #expect(status == .exited(141), "\(arguments): \(error)")
      #expect(error.isEmpty, "\(arguments): \(error)")
    }
  }

  /// What is opened next must not take the place of a closed stream.
  @Test func aClosedOutputIsAnError() throws {
    try Workplace.with { place in
      let child = try ChildProcess(
        .init(
          executable: "/bin/sh",
          arguments: [
            "-c", #"exec "$0" "$@" >&-"#, try martletExecutable(), "infer", "demo.onnx",
            "--images", "digits.tar",
          ], folder: place.folder, standardOutput: .discarded,
          standardError: .file(place.path("run.err"))))
      #expect(child.wait(timeout: .seconds(60)) == .exited(74))
      #expect(
        try errors(place)
          == "martlet: error: cannot write to standard output: Bad file descriptor\n")
    }
  }
}
