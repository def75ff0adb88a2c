import Foundations
import Glibc
import Processes
import Testing

/// A terminal that a test looks at and types on.
final class Pseudoterminal {
  private let master: Int32
  /// Kept open, so that its settings can be read after the program has ended.
  let slave: Int32
  /// All that the program has written.
  private(set) var output = ""

  init(columns: UInt16, rows: UInt16) throws {
    // What posix_openpt, unlockpt and ptsname do, which Swift's Glibc leaves out: TIOCSPTLCK and
    // TIOCGPTN of ioctl_tty(2).
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    var (locked, number): (Int32, Int32) = (0, 0)
    let isOpen =
      ioctl(master, 0x4004_5431, &locked) == 0 && ioctl(master, 0x8004_5430, &number) == 0
    try #require(isOpen)
    slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
    try #require(slave >= 0)
    resize(columns: columns, rows: rows)
  }

  deinit {
    close(master)
    close(slave)
  }

  func resize(columns: UInt16, rows: UInt16) {
    var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(master, UInt(TIOCSWINSZ), &size)
  }

  func type(_ bytes: UInt8...) { _ = write(master, bytes, bytes.count) }

  /// Local, input and output modes: what a page changes.
  var modes: [UInt32] {
    var settings = termios()
    tcgetattr(slave, &settings)
    return [settings.c_lflag, settings.c_iflag, settings.c_oflag]
  }

  /// Starts a program with this terminal as its three standard streams.
  func start(_ executable: String, _ arguments: [String]) throws -> ChildProcess {
    try ChildProcess(
      .init(
        executable: "/bin/sh", arguments: ["-c", "exec \"$0\" \"$@\" <&1", executable] + arguments,
        // A crash is to end the process at once, without a report.
        environment: ["TERM": "xterm-256color", "SWIFT_BACKTRACE": "enable=no"],
        standardOutput: .descriptor(slave), standardError: .descriptor(slave)))
  }

  /// Reads until `condition` holds for all that came since `clear`; false after `seconds`.
  func wait(seconds: Int = 20, _ condition: (String) -> Bool) -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while !condition(output) {
      guard ContinuousClock.now < end else { return false }
      read(milliseconds: 100)
    }
    return true
  }

  /// Forgets what has come.
  func clear() { output = "" }

  /// Reads what is there.
  func read(milliseconds: Int32) {
    var descriptor = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
    guard poll(&descriptor, 1, milliseconds) > 0 else { return }
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = Glibc.read(master, &buffer, buffer.count)
    if count > 0 { output += String(decoding: buffer[..<count], as: UTF8.self) }
  }

  /// The last page that was painted whole, line by line, without colours.
  var page: [String] {
    let pages = output.split(separator: "\u{1B}[H", omittingEmptySubsequences: false)
    guard pages.count > 2 else { return [] }
    return pages[pages.count - 2].replacing("\u{1B}[2K", with: "")
      .replacing(#/\u{1B}\[[0-9;]*m/#, with: "")
      .split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
  }
}
