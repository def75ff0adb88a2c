import Foundation
import Tensors
import Testing
import WireProtocol

/// The messages are files that the Python library `safetensors` reads.
@Suite struct PythonTests {
  static let python = ["/opt/py/bin/python3", "/usr/bin/python3"].first { path in
    FileManager.default.isExecutableFile(atPath: path)
      && (try? run(path, ["-c", "import numpy, safetensors.numpy"])) != nil
  }

  struct Failure: Error { var output: String }

  /// Runs a program and gives its standard output.
  @discardableResult
  static func run(_ path: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure(output: output) }
    return output
  }

  @Test(
    .enabled(if: python != nil, "needs Python with safetensors and numpy"),
    arguments: [ElementType.float32, .float16, .int8])
  func pythonReadsEveryMessage(type: ElementType) throws {
    let python = try #require(Self.python)
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "martlet-wire-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let values = (0..<1200).map { Float($0 % 255) - 127 }
    let parts = try messages(header(shape: [3, 400]), values, as: type, chunkBytes: 1024)
    for (index, part) in parts.enumerated() {
      try Data(part).write(to: folder.appendingPathComponent("\(index).safetensors"))
    }
    let script = """
      import sys, numpy
      from safetensors import safe_open
      pieces = []
      for index in range(int(sys.argv[2])):
          with safe_open(f"{sys.argv[1]}/{index}.safetensors", "np") as file:
              assert list(file.keys()) == ["tensor"]
              data = file.metadata()
              assert data["frame"] == "7" and data["layer"] == "conv-1", data
              assert data["chunk"] == str(index) and data["chunks"] == sys.argv[2], data
              assert data["shape"] == "3,400" and int(data["offset"]) == sum(map(len, pieces))
              scale = float(data.get("scale", "1"))
              pieces.append(file.get_tensor("tensor").astype("float32") * scale)
      got = numpy.concatenate(pieces)
      want = (numpy.arange(1200) % 255 - 127).astype("float32")
      assert numpy.array_equal(got, want), abs(got - want).max()
      print("same")
      """
    let output = try Self.run(python, ["-c", script, folder.path, "\(parts.count)"])
    #expect(output.contains("same"))
  }

  @Test(.enabled(if: python != nil, "needs Python with safetensors and numpy"))
  func messagesFromPythonAreRead() throws {
    let python = try #require(Self.python)
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(
      "martlet-wire-\(UUID().uuidString).safetensors")
    defer { try? FileManager.default.removeItem(at: file) }
    let script = """
      import sys, numpy
      from safetensors.numpy import save_file
      image = numpy.arange(12, dtype="float32").reshape(3, 2, 2)
      save_file({"image": image}, sys.argv[1], {"frame": "3", "plan": "p-1", "device": "cam"})
      """
    try Self.run(python, ["-c", script, file.path])
    try decoding([UInt8](try Data(contentsOf: file))) { message in
      #expect(message.header.frame == 3 && message.header.device == "cam")
      #expect(message.header.shape == [3, 2, 2])
      #expect(elements(message) == (0..<12).map(Float.init))
    }
  }
}
