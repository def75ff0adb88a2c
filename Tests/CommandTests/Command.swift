import Foundations
import Glibc
import Imaging
import JSONCoding
import LocalFleet
import ModelCards
import Plan
import Processes
import TensorFiles
import TestSupport

/// What a run of the executable came to.
struct Outcome {
  var status: ExitStatus?
  var output: String
  var error: String

  /// The lines of standard output, each read as JSON; nil where one is not.
  var json: [JSONValue?] {
    output.split(separator: "\n").map {
      try? JSON.decode(JSONValue.self, from: Array($0.utf8), source: "output")
    }
  }
}

/// A folder with the bundled model in it, in which `martlet` runs.
struct Workplace {
  let folder: String

  static func with(_ body: (Workplace) throws -> Void) throws {
    try TemporaryFolder.with(prefix: "martlet-test") { folder in
      let workplace = Workplace(folder: folder)
      try workplace.write(DemoFiles.model, to: "demo.onnx")
      try workplace.write(DemoFiles.about, to: "demo.json")
      try workplace.write(DemoFiles.digits, to: "digits.tar")
      try body(workplace)
    }
  }

  /// Makes a folder `train` of images that are in no other file: digits with a byte behind them.
  func makeTrainingImages(_ count: Int = 60) throws {
    let set = try ImageSet.open(paths: [path("digits.tar")], labelling: .none)
    try FileSystem.createFolder(path("train"))
    for index in 0..<count {
      try write(try set.bytes(index * set.count / count) + [0], to: "train/\(index).png")
    }
  }

  func path(_ name: String) -> String { folder + "/" + name }

  func write(_ bytes: [UInt8], to name: String) throws {
    try FileSystem.write(bytes, to: path(name))
  }

  func read(_ name: String) throws -> [UInt8] { try FileSystem.read(path(name)) }

  /// Replaces text in a file; false if it is not there.
  func replace(_ old: String, with new: String, in name: String) throws -> Bool {
    let text = try FileSystem.readText(path(name))
    guard let range = text.firstRange(of: old) else { return false }
    try write(Array(text.replacingCharacters(in: range, with: new).utf8), to: name)
    return true
  }

  func start(
    _ arguments: [String], environment: [String: String]? = nil, name: String = "run"
  ) throws -> ChildProcess {
    try ChildProcess(
      .init(
        executable: try martletExecutable(), arguments: arguments, environment: environment,
        folder: folder, standardOutput: .file(path(name + ".out")),
        standardError: .file(path(name + ".err"))))
  }

  /// Runs `body` with a broker and workers of the plan in `plan`, and ends both afterwards.
  ///
  /// - Parameter options: of the workers.
  func withWorkers(
    _ options: [String] = [], _ body: (Fleet, EmbeddedBroker) throws -> Void
  ) throws {
    var settings = Fleet.Settings()
    settings.executable = try martletExecutable()
    settings.workerOptions = options
    settings.patience = .seconds(2)
    try withFleet(settings, plan: { _ in try PlanFolder(reading: path("plan")) }) {
      try $0.startAll()
      try body($0, $1)
    }
  }

  func outcome(_ status: ExitStatus?, name: String = "run") throws -> Outcome {
    Outcome(
      status: status, output: try FileSystem.readText(path(name + ".out")),
      error: try FileSystem.readText(path(name + ".err")))
  }

  /// Runs `martlet` to its end.
  func run(_ arguments: String..., seconds: Int = 30) throws -> Outcome {
    try run(arguments, seconds: seconds)
  }

  func run(_ arguments: [String], seconds: Int = 30) throws -> Outcome {
    let child = try start(arguments)
    let status = child.wait(timeout: .seconds(seconds))
    if status == nil { child.stop(patience: .zero) }
    return try outcome(status)
  }
}

extension String {
  fileprivate func replacingCharacters(in range: Range<Index>, with new: String) -> String {
    String(self[..<range.lowerBound]) + new + String(self[range.upperBound...])
  }
}
