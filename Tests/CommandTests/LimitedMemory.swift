import Processes
import TensorFiles
import TestSupport

extension Workplace {
  /// Runs `martlet` to its end with only so much memory, in another environment if one is given.
  func run(
    _ arguments: [String], kibibytes: Int?, environment: [String: String]? = nil, seconds: Int = 60
  ) throws -> Outcome {
    let limit = kibibytes.map { "ulimit -v \($0) && " } ?? ""
    let child = try ChildProcess(
      .init(
        executable: "/bin/sh",
        arguments: ["-c", "\(limit)exec \"$0\" \"$@\"", try martletExecutable()] + arguments,
        environment: environment, folder: folder, standardOutput: .file(path("run.out")),
        standardError: .file(path("run.err"))))
    let status = child.wait(timeout: .seconds(seconds))
    if status == nil { child.stop(patience: .zero) }
    return try outcome(status)
  }

  /// The kibibytes of addresses that the executable has before it does anything, from what the system
  /// refuses below: it differs much between builds.
  func smallestLimit() throws -> Int {
    var (low, high) = (0, 1 << 21)
    while high - low > 4096 {
      let middle = (low + high) / 2
      let told = try run(["--version", "--verbose"], kibibytes: middle)
      if told.status == .exited(0) { high = middle } else { low = middle }
    }
    return high
  }
}

/// A model in the ONNX format of one node, written by hand: it is small whatever its shapes are.
struct TinyONNX {
  var operation = "Relu"
  var extents: [Int]

  /// The file's bytes.
  var bytes: [UInt8] {
    let node = field(1, text: "x") + field(2, text: "y") + field(4, text: operation)
    let graph =
      field(1, node) + field(2, text: "tiny") + field(11, value("x")) + field(12, value("y"))
    return number(1, 8) + field(7, graph) + field(8, number(2, 13))
  }

  private func value(_ name: String) -> [UInt8] {
    let shape = extents.flatMap { field(1, number(1, $0)) }
    return field(1, text: name) + field(2, field(1, number(1, 1) + field(2, shape)))
  }

  private func field(_ tag: Int, text: String) -> [UInt8] { field(tag, Array(text.utf8)) }

  private func field(_ tag: Int, _ bytes: [UInt8]) -> [UInt8] {
    varint(tag << 3 | 2) + varint(bytes.count) + bytes
  }

  private func number(_ tag: Int, _ value: Int) -> [UInt8] { varint(tag << 3) + varint(value) }

  private func varint(_ value: Int) -> [UInt8] {
    value < 128 ? [UInt8(value)] : [UInt8(value & 127 | 128)] + varint(value >> 7)
  }
}
