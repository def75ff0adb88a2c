import ArgumentParser
import Foundations
import Glibc

/// Standard output: the one place where commands write what they were asked for, so that none of it is
/// lost without a word.
///
/// Every write goes to the descriptor at once, behind no buffer, and is checked. What cannot be written,
/// for instance to a full disk, ends the command with a message and status 74. If the reader has gone
/// away, as `head` does, the command ends without a word and with `closedStatus`.
enum StandardOutput {
  /// Whether standard output is a terminal that shows colours.
  static let hasColours = Terminal.isOutputInteractive && getenv("NO_COLOR") == nil

  /// The status of a command whose reader has gone away: that of a program which SIGPIPE has ended,
  /// after shells' habit.
  static let closedStatus: Int32 = 128 + SIGPIPE

  /// What is thrown when the reader has gone away; nobody needs to be told.
  static let closed = MartletError(.io, "the reader of standard output has gone away")

  /// Makes sure that failures of writing arrive here, and that standard streams which were closed are
  /// not the next files to be opened. Called once, first of all.
  static func prepare() {
    signal(SIGPIPE, SIG_IGN)
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
    where fcntl(descriptor, F_GETFD) < 0 {
      // Opened the wrong way round: using it still fails.
      _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
  }

  /// Writes text as it is; gives up when `isStopped` says so.
  ///
  /// - Throws: `io` when it cannot be written; `closed` when the reader has gone away.
  static func write(
    _ text: String, isStopped: () -> Bool = { false }
  ) throws(MartletError) {
    var text = text
    switch text.withUTF8({ write($0, isStopped) }) {
    case 0: return
    case EPIPE: throw closed
    case let code:
      throw MartletError(.io, "cannot write to standard output: \(String(cString: strerror(code)))")
    }
  }

  /// Returns 0 or an errno value.
  private static func write(_ bytes: UnsafeBufferPointer<UInt8>, _ isStopped: () -> Bool) -> Int32 {
    var rest = UnsafeRawBufferPointer(bytes)
    while !rest.isEmpty {
      if isStopped() { return 0 }
      var descriptor = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
      guard poll(&descriptor, 1, 200) > 0 else { continue }
      // A pipe that is ready takes this much without blocking.
      let count = Glibc.write(STDOUT_FILENO, rest.baseAddress, min(rest.count, 4096))
      if count < 0 {
        if errno == EINTR || errno == EAGAIN { continue }
        return errno
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
    return 0
  }
}

/// Standard output is written with `Terminal.print`, which says when that fails.
@available(*, unavailable, renamed: "Terminal.print", message: "use try Terminal.print")
func print(_ items: Any..., separator: String = " ", terminator: String = "\n") {}
