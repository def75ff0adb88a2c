import CProcess
package import Foundations
import Glibc

/// The columns and rows of a terminal.
package struct TerminalSize: Equatable, Sendable {
  /// Characters in a line.
  package var columns: Int
  /// Lines.
  package var rows: Int

  /// The size of the terminal at a descriptor; 80 by 24 where nobody knows.
  package init(of descriptor: Int32) {
    var size = winsize()
    let isKnown =
      ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 && size.ws_row > 0
    columns = isKnown ? Int(size.ws_col) : 80
    rows = isKnown ? Int(size.ws_row) : 24
  }
}

/// The terminal as one page that is painted over and over, for the length of a call.
///
/// However the call or the process ends, short of SIGKILL, the terminal is as it was before.
package struct TerminalScreen: ~Copyable {
  /// What ended a wait.
  package enum Event: Equatable, Sendable {
    /// A byte from the keyboard; Ctrl-C is 3.
    case key(UInt8)
    /// The terminal has another size.
    case resized
    /// The deadline passed.
    case timeout
    /// The keyboard is gone.
    case hungUp
  }

  private let resizes: Int32

  /// Runs `body` with the terminal at standard input and output as one page.
  ///
  /// - Throws: `invalidArgument` when they are no terminal; `io` when it cannot be set up.
  package static func with<Result>(
    _ body: (borrowing TerminalScreen) throws -> Result
  ) throws -> Result {
    guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else {
      throw MartletError(.invalidArgument, "This needs a terminal to fill")
    }
    var ends: [Int32] = [-1, -1]
    guard cprocess_pipe(&ends) == 0 else {
      throw MartletError(.io, "The terminal cannot be watched: \(String(cString: strerror(errno)))")
    }
    defer { ends.forEach { Glibc.close($0) } }
    let code = cprocess_enter_screen(STDIN_FILENO, STDOUT_FILENO, ends[1])
    guard code == 0 else {
      throw MartletError(.io, "The terminal cannot be set up: \(String(cString: strerror(code)))")
    }
    defer { cprocess_leave_screen() }
    return try body(TerminalScreen(resizes: ends[0]))
  }

  /// How large the page is now.
  package var size: TerminalSize { TerminalSize(of: STDOUT_FILENO) }

  /// Shows these lines and nothing else. What is wider or longer than the page is not seen.
  ///
  /// - Throws: `io` when the terminal is gone.
  package func show(_ lines: [String]) throws(MartletError) {
    // Line by line from the top: clearing the whole page first would flicker.
    let rows = size.rows
    let all = lines.prefix(rows) + Array(repeating: "", count: max(0, rows - lines.count))
    var text = "\u{1B}[H" + all.map { "\u{1B}[2K" + $0 }.joined(separator: "\r\n")
    let code = text.withUTF8 { bytes -> Int32 in
      var written = 0
      while written < bytes.count {
        let count = write(
          STDOUT_FILENO, bytes.baseAddress.map { $0 + written }, bytes.count - written)
        if count < 0 && errno != EINTR { return errno }
        written += max(0, count)
      }
      return 0
    }
    guard code == 0 else {
      throw MartletError(.io, "The terminal is gone: \(String(cString: strerror(code)))")
    }
  }

  /// Waits for the keyboard or a change of size.
  package func next(until deadline: MonotonicTime) -> Event {
    var descriptors = [
      pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
      pollfd(fd: resizes, events: Int16(POLLIN), revents: 0),
    ]
    while true {
      let count = poll(&descriptors, 2, deadline.millisecondsLeft)
      if count == 0 { return .timeout }
      // Interrupted: by a signal of this or another kind.
      if count < 0 { continue }
      var byte: UInt8 = 0
      if descriptors[1].revents != 0 {
        _ = read(resizes, &byte, 1)
        return .resized
      }
      return read(STDIN_FILENO, &byte, 1) == 1 ? .key(byte) : .hungUp
    }
  }
}
