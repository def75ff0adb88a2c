package import Foundations
import Synchronization

/// How this program's command line is called once more, in another process.
package struct OwnProgram: Sendable, Hashable {
  /// The absolute path of the program.
  package let path: String
  /// The arguments that lead to the command line, before those of a command.
  package let leading: [String]

  /// This program, called as it was.
  ///
  /// - Throws: `io` when `/proc` is not mounted.
  package init() throws(MartletError) {
    path = try System.executablePath()
    leading = Self.leadingArguments.withLock { $0 }
  }

  private static let leadingArguments = Mutex<[String]>([])

  /// Says once, at the start, which arguments of this process lead to the command line; none unless this
  /// is called.
  package static func isReached(by arguments: [String]) {
    leadingArguments.withLock { $0 = arguments }
  }

  /// The path, the leading arguments, and these.
  package func words(_ arguments: [String]) -> [String] { [path] + leading + arguments }
}
