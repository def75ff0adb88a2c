package import Foundations
import Glibc

extension ChildProcess {
  /// Runs a program to its end and returns what it wrote to standard output, at most 1 MiB.
  ///
  /// - Throws: as `init`; `timedOut` after killing it; `io` with the end of its standard error when
  ///   it does not exit with 0.
  package static func output(
    of configuration: Configuration, timeout: Duration
  ) throws(MartletError) -> String {
    let folder = try TemporaryFolder(prefix: "martlet-run")
    var configuration = configuration
    configuration.standardOutput = .file("\(folder.path)/out")
    configuration.standardError = .file("\(folder.path)/err")
    let child = try ChildProcess(configuration)
    let context: KeyValuePairs = ["program": configuration.executable]
    guard let status = child.wait(timeout: timeout) else {
      child.stop(patience: .zero)
      throw MartletError(.timedOut, "A program did not end in time", context: context)
    }
    guard status.isSuccess else {
      let words = readSmallFile("\(folder.path)/err")?.suffix(500) ?? ""
      throw MartletError(.io, "A program failed with \(status): \(words)", context: context)
    }
    return readSmallFile("\(folder.path)/out", limit: 1 << 20) ?? ""
  }
}
