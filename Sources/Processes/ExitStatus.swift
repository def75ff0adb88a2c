import Glibc

/// How a process ended.
package enum ExitStatus: Sendable, Equatable {
  /// It called exit with this status.
  case exited(Int32)
  /// A signal with this number ended it.
  case signalled(Int32)

  init(waitStatus: Int32) {
    let signal = waitStatus & 0x7F
    self = signal == 0 ? .exited((waitStatus >> 8) & 0xFF) : .signalled(signal)
  }

  /// Whether it ended by itself with status 0.
  package var isSuccess: Bool { self == .exited(0) }
}

extension ExitStatus: CustomStringConvertible {
  /// For example `exit status 1` or `killed by signal 9 (Killed)`.
  package var description: String {
    switch self {
    case .exited(let status): "exit status \(status)"
    case .signalled(let number):
      "killed by signal \(number) (\(String(cString: strsignal(number))))"
    }
  }
}
