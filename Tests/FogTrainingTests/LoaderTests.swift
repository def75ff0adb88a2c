import Foundation
import Testing

/// The loaders of the experiments' data are Python; so are their tests.
@Suite struct LoaderTests {
  static let hasPython = (try? run(["-c", "import numpy"]))?.status == 0

  static func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3"] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, output)
  }

  @Test(.enabled(if: hasPython, "needs python3 with numpy")) func `loaders`() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let result = try Self.run([root.path + "/tools/experiments/test_fog_data.py"])
    #expect(result.status == 0, "\(result.output)")
  }
}
