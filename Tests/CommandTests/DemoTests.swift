import Foundations
import Glibc
import JSONCoding
import Processes
import TensorFiles
import Testing

extension CommandTests {
  @Test func theDemoFliesAndSumsUp() throws {
    try Workplace.with { place in
      try withScratch(place) { environment, scratch in
        let demo = try place.start(
          ["demo", "--frames", "60", "--json"], environment: environment)
        defer { demo.stop(patience: .zero) }
        let outcome = try place.outcome(demo.wait(timeout: .seconds(60)))
        #expect(outcome.status == .exited(0), "\(outcome.error)")
        #expect(outcome.json.count == 1 && outcome.json[0] != nil, "\(outcome.output)")
        let after = try FileSystem.list(scratch)
        #expect(after.isEmpty, "\(after)")
      }
    }
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func aStoppedDemoLeavesNothing(_ signal: Int32) throws {
    try Workplace.with { place in
      try withScratch(place) { environment, scratch in
        let demo = try place.start(
          ["demo", "--frames", "1000000"], environment: environment)
        defer { demo.stop(patience: .zero) }
        let end = ContinuousClock.now + .seconds(30)
        // In flight: all four workers have reported, and answers are counted.
        while true {
          let log = try place.outcome(nil).error
          if log.ranges(of: "is alive").count >= 4 { break }
          let isRunning = demo.wait(timeout: .milliseconds(20)) == nil
          try #require(isRunning && ContinuousClock.now < end, "\(log)")
        }
        let children = try self.children(of: demo.processID)
        #expect(children.count == 5, "a broker and four workers")
        let during = try FileSystem.list(scratch)
        #expect(!during.isEmpty)
        demo.signal(signal)
        let status = demo.wait(timeout: .seconds(20))
        #expect(status != nil && status != .exited(0))
        for child in children { #expect(kill(child, 0) != 0, "process \(child) is still there") }
        let after = try FileSystem.list(scratch)
        #expect(after.isEmpty, "\(after)")
      }
    }
  }

  /// A folder for the demo's own files, which the broker's user can reach.
  private func withScratch(
    _ place: Workplace, _ body: ([String: String], String) throws -> Void
  ) throws {
    let scratch = place.path("t")
    try FileSystem.createFolder(scratch)
    #expect(chmod(place.folder, 0o711) == 0 && chmod(scratch, 0o711) == 0)
    let path = getenv("PATH").map { String(cString: $0) } ?? ""
    try body(["TMPDIR": scratch, "PATH": path], scratch)
  }

  private func children(of process: Int32) throws -> [Int32] {
    // Spawned by several threads, perhaps.
    try FileSystem.list("/proc/\(process)/task", recursive: false).flatMap { entry in
      let name = FileSystem.name(of: entry.path)
      let text = try FileSystem.readText("/proc/\(process)/task/\(name)/children")
      return text.split(separator: " ").compactMap { Int32($0) }
    }
  }
}
