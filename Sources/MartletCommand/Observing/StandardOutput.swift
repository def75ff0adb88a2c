import Glibc
import TensorCore

/// Standard output for a command that writes as long as somebody reads, and can be stopped while the
/// reader is slow.
struct StandardOutput {
  /// Whether standard output is a terminal that shows colours.
  static let hasColours = Terminal.isOutputInteractive && getenv("NO_COLOR") == nil

  /// Whether the reader has gone away.
  private(set) var isClosed = false

  /// Writes text; gives up when `isStopped` says so.
  ///
  /// - Throws: `io` or `resourceExhausted` when it cannot be written; a reader that has gone away is
  ///   no error.
  mutating func write(_ text: String, isStopped: () -> Bool) throws(MartletError) {
    var text = text
    let result = text.withUTF8 { StandardOutput.write($0, isStopped) }
    switch result {
    case 0: return
    case EPIPE: isClosed = true
    default:
      throw MartletError(
        result == ENOSPC ? .resourceExhausted : .io,
        "cannot write to standard output: \(String(cString: strerror(result)))")
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
