import Foundations
import Glibc
import JSONCoding
import Processes
import TensorFiles
import TestSupport
import Testing

/// The lines of the handbook's article on looking at the traffic, as they stand there.
extension CommandTests {
  /// A line that begins with `mosquitto_sub`, and those that it goes on in.
  private static func articleLines() throws -> [String] {
    let text = try FileSystem.readText(checkout + "/Sources/Handbook/Handbook.docc/Observing.md")
    var lines: [String] = []
    var isOpen = false
    for line in text.split(separator: "\n") where isOpen || line.hasPrefix("mosquitto_sub ") {
      if isOpen { lines[lines.count - 1] += "\n" + line } else { lines.append(String(line)) }
      isOpen = line.hasSuffix("\\")
    }
    return lines
  }

  private static let pythonReadsTensors: Bool = {
    let python = System.findExecutable("python3").map {
      ChildProcess.Configuration(
        executable: $0, arguments: ["-c", "import numpy, safetensors.numpy"])
    }
    return python.map { (try? ChildProcess.output(of: $0, timeout: .seconds(60))) != nil } ?? false
  }()

  /// Runs lines of the article while a demo is up and frames are sent; each until its output has `words`.
  private func runArticleLines(_ expected: [(word: String, output: String)]) throws {
    try Workplace.with { place in
      let demo = try place.start(["demo", "--keep", "--frames", "30", "--json"], name: "demo")
      defer { demo.stop(patience: .seconds(5)) }
      let end = ContinuousClock.now + .seconds(60)
      var kept: JSONValue?
      while kept == nil {
        let isRunning = demo.wait(timeout: .milliseconds(50)) == nil
        try #require(isRunning && ContinuousClock.now < end)
        kept = try place.outcome(nil, name: "demo").json.first??["kept"]
      }
      guard case .integer(let port) = kept?["port"], case .string(let socket) = kept?["socket"],
        case .string(let plan) = kept?["plan"]
      else {
        Issue.record("\(String(describing: kept))")
        return
      }
      let lines = try Self.articleLines()
      for (index, (word, output)) in expected.enumerated() {
        let line = try #require(lines.first { $0.contains(word) }, "\(word)")
        let name = "sub\(index)"
        // A lone command takes the shell's place, so that it ends with it.
        let start = line.contains("&&") ? "" : "exec "
        let shell = try ChildProcess(
          .init(
            executable: "/bin/sh",
            arguments: ["-c", start + line.replacing("PORT", with: "\(port)")],
            folder: place.folder,
            standardOutput: .file(place.path(name + ".out")),
            standardError: .file(place.path(name + ".err"))))
        defer { shell.stop(patience: .zero) }
        let run = [
          "run", "--broker", socket, "--plan", plan, "--images", "digits.tar", "--frames", "30",
        ]
        var got = try place.outcome(nil, name: name)
        while !got.output.contains(output), ContinuousClock.now < end {
          let answers = try place.run(run)
          #expect(answers.status == .exited(0), "\(answers.error)")
          let status = shell.wait(timeout: .milliseconds(200))
          got = try place.outcome(status, name: name)
          if status != nil { break }
        }
        #expect(got.output.contains(output), "\(line): \(got.output.suffix(500)) \(got.error)")
      }
    }
  }

  @Test func theArticlesSubscriptionsShowWhatTheySay() throws {
    try runArticleLines([
      ("/presence/+", "martlet/1/default/presence/d0 {\"state\":\"ready\""),
      ("/heartbeat/+", "\"rss_bytes\":"),
      ("/metric/#", "/energy {"),
      ("/result/+", "\"label\":"),
    ])
  }

  @Test(.enabled(if: pythonReadsTensors, "needs python3 with safetensors and numpy"))
  func theArticlesLineOpensAPartInPython() throws {
    try runArticleLines([("part.safetensors", "float32 (1, ")])
  }
}
