import CProcess
import Foundations
import Glibc

extension ChildProcess {
  static func start(_ configuration: Configuration) throws(MartletError) -> Int32 {
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    guard null >= 0 else { throw failure("/dev/null cannot be opened", errno, "/dev/null") }
    defer { Glibc.close(null) }
    let output = try descriptor(configuration.standardOutput, inherited: 1, null: null)
    defer { if output.isOwned { Glibc.close(output.number) } }
    let error = try descriptor(configuration.standardError, inherited: 2, null: null)
    defer { if error.isOwned { Glibc.close(error.number) } }

    let environment = configuration.environment ?? currentEnvironment()
    let arguments = [configuration.executable] + configuration.arguments
    let pairs = environment.map { "\($0.key)=\($0.value)" }
    guard !(arguments + pairs).contains(where: { $0.utf8.contains(0) }) else {
      throw MartletError(.invalidArgument, "An argument of a program holds a zero byte")
    }
    let outcome = withCStringArray(arguments) { arguments in
      withCStringArray(pairs) { environment in
        configuration.executable.withCString { path in
          withOptionalCString(configuration.folder) { folder in
            var options = cprocess_options()
            options.path = path
            options.arguments = arguments
            options.environment = environment
            options.folder = folder
            options.standard_input = null
            options.standard_output = output.number
            options.standard_error = error.number
            options.new_group = 1
            if let identity = configuration.identity {
              options.drop_identity = 1
              options.user = identity.user
              options.group = identity.group
            }
            return Spawner.spawn(&options)
          }
        }
      }
    }
    guard outcome.code == 0 else { throw startFailure(outcome, configuration) }
    return outcome.child
  }

  private static func startFailure(
    _ outcome: Spawner.Outcome, _ configuration: Configuration
  ) -> MartletError {
    let program = configuration.executable
    switch (outcome.stage, outcome.code) {
    case (4, ENOENT), (4, ENOTDIR):
      return MartletError(.notFound, "The program does not exist", context: ["program": program])
    case (4, EACCES), (4, EPERM):
      return MartletError(
        .permissionDenied, "The program may not be run by this user", context: ["program": program])
    case (2, _):
      return failure("The working folder cannot be used", outcome.code, configuration.folder ?? "")
    case (3, _):
      return MartletError(
        .permissionDenied, "Another user's identity cannot be taken", context: ["program": program])
    case (1, _):
      return MartletError(
        .resourceExhausted,
        "No further process can be started: \(String(cString: strerror(outcome.code)))",
        context: ["program": program])
    default: return failure("The program cannot be started", outcome.code, program)
    }
  }

  private static func failure(_ message: String, _ code: Int32, _ file: String) -> MartletError {
    MartletError(.io, "\(message): \(String(cString: strerror(code)))", context: ["file": file])
  }

  private static func descriptor(
    _ output: Output, inherited: Int32, null: Int32
  ) throws(MartletError) -> (number: Int32, isOwned: Bool) {
    let (path, mode): (String, Int32)
    switch output {
    case .inherited: return (inherited, false)
    case .discarded: return (null, false)
    case .descriptor(let number): return (number, false)
    case .file(let file): (path, mode) = (file, O_TRUNC)
    case .appended(let file): (path, mode) = (file, O_APPEND)
    }
    let number = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | mode, 0o600)
    guard number >= 0 else { throw failure("An output file cannot be opened", errno, path) }
    return (number, true)
  }
}

/// This process's environment variables.
func currentEnvironment() -> [String: String] {
  var result: [String: String] = [:]
  var entry = environ
  while let text = entry.pointee {
    let pair = String(cString: text).split(
      separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    if pair.count == 2 { result[String(pair[0])] = String(pair[1]) }
    entry += 1
  }
  return result
}

private func withCStringArray<Result>(
  _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
  pointers.append(nil)
  defer { for pointer in pointers { free(pointer) } }
  return pointers.withUnsafeMutableBufferPointer { buffer in
    // Never empty: it ends with nil.
    body(UnsafePointer(buffer.baseAddress.unsafelyUnwrapped))
  }
}

private func withOptionalCString<Result>(
  _ string: String?, _ body: (UnsafePointer<CChar>?) -> Result
) -> Result {
  guard let string else { return body(nil) }
  return string.withCString { body($0) }
}
