import ArgumentParser
import Foundations
import Glibc
import Processes

/// The command line of `martlet`, whole, for executables of other packages: that one consists of nothing
/// but a call of ``run(skipping:)``.
public enum MartletCommandLine {
  /// Does what the process's arguments say, as `martlet` does, and ends the process with a status that
  /// says how it went: 0, 1 when some images could not be read, 64 to 77 as in sysexits.h, 130 after
  /// Ctrl-C, 141 when the reader of standard output has gone away. `--help` names them all.
  ///
  /// Call it before anything else happens in the process, on the main thread. It may start the program
  /// again, once and with the same arguments, when OpenBLAS needs another environment than it got; it
  /// sets what the process does with SIGPIPE and, in commands that go on until they are stopped, with
  /// SIGINT and SIGTERM. Commands that need workers of their own, such as `demo`, start this program once
  /// more for each, with the skipped arguments first; so the same beginning of the command line has to
  /// lead here.
  ///
  /// - Parameter count: how many of the process's arguments are none of `martlet`'s: 1, the program's
  ///   name, unless the program has commands of its own beside these.
  public static func run(skipping count: Int = 1) -> Never {
    let given = CommandLine.arguments
    let arguments = Array(given.dropFirst(max(count, 1)))
    OwnProgram.isReached(by: Array(given.prefix(max(count, 1)).dropFirst()))
    ComputeSetup.correct()
    StandardOutput.prepare()
    do {
      do {
        try ComputeSetup.check()
        if ComputeSetup.isAskedFor(arguments) {
          try Terminal.print(ComputeSetup.report)
          Glibc.exit(0)
        }
        var command = try RootCommand.parseAsRoot(arguments)
        try command.run()
      } catch  where RootCommand.exitCode(for: error).isSuccess {
        // What was asked for is help or the version.
        try Terminal.print(RootCommand.fullMessage(for: error))
      }
      Glibc.exit(0)
    } catch let error as MartletError where error == StandardOutput.closed {
      Glibc.exit(StandardOutput.closedStatus)
    } catch let error as MartletError {
      Terminal.printError(error)
      Glibc.exit(error.exitCode)
    } catch {
      // Wrong usage, on standard error, or a status alone.
      RootCommand.exit(withError: error)
    }
  }
}
