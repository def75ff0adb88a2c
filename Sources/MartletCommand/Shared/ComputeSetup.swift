import Foundations
import Kernels
import Processes
import Runtime

/// With what this process computes, said and put right before anything else happens.
enum ComputeSetup {
  /// Starts the program again, once, if OpenBLAS needs another environment than it got.
  static func correct() {
    guard let correction = ComputeCorrection.needed() else { return }
    System.startAgain(setting: correction.variables)
  }

  /// - Throws: `resourceExhausted` when hardly any memory is left after the start, `invalidArgument`
  ///   when somebody chose kernels that the processor cannot run.
  static func check() throws(MartletError) {
    // Beyond this, requests that are too small to be worth a question could fail.
    if MemoryLimit.isSet { try MemoryLimit.require(8 << 20, for: "anything after the start") }
    let core = OpenBLASCore.inUse
    // What somebody chose by hand is not commented on; a correction that failed is.
    if core.origin == .chosen, let warning = core.warning {
      Terminal.printLine("martlet: warning: \(warning)")
    }
    guard core.isBeyondProcessor else { return }
    throw MartletError(
      .invalidArgument, "the processor does not have the instructions of OpenBLAS's kernels",
      context: ["kernels": core.name, "processor": "\(core.processor)"],
      hint: "unset OPENBLAS_CORETYPE")
  }

  /// Whether the arguments, without the program's name, are `--version --verbose`.
  static func isAskedFor(_ arguments: [String]) -> Bool {
    arguments.count == 2 && Set(arguments) == ["--version", "--verbose"]
  }

  /// The lines of `--version --verbose`.
  static var report: String {
    let core = OpenBLASCore.inUse
    var lines = [
      Worker.version,
      "processor: \(core.processor)",
      "library: OpenBLAS \(OpenBLASCore.libraryVersion), threads of its own: "
        + "\(OpenBLASCore.libraryThreads)",
      "kernels: \(core.summary)",
    ]
    if let limit = MemoryLimit.bytes { lines.append("memory limit: \(limit) bytes") }
    if let warning = core.warning { lines.append("warning: \(warning)") }
    return lines.joined(separator: "\n")
  }
}
