import CProcess
package import Foundations
import Glibc
import Synchronization

/// SIGINT and SIGTERM, turned into one call of a handler on an ordinary thread.
///
/// A second signal ends the process at once with status 130 or 143, for a user who will not wait.
package final class TerminationSignals: Sendable {
  private static let inUse = Mutex(false)
  private let writeEnd: Int32
  private let isActive = Mutex(true)

  /// Starts watching. `handler` gets the signal's number, on a thread of its own, at most once.
  ///
  /// - Throws: `invalidArgument` when another watch is active, `io` when none can be set up.
  package init(_ handler: @escaping @Sendable (Int32) -> Void) throws(MartletError) {
    let taken = Self.inUse.withLock { used in
      defer { used = true }
      return used
    }
    if taken { throw MartletError(.invalidArgument, "Termination signals are watched already") }
    var ends: [Int32] = [-1, -1]
    guard cprocess_pipe(&ends) == 0 else {
      Self.inUse.withLock { $0 = false }
      throw MartletError(.io, "Signals cannot be watched: \(String(cString: strerror(errno)))")
    }
    writeEnd = ends[1]
    let watcher = Unmanaged.passRetained(Watcher(readEnd: ends[0], handler: handler))
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { context in
        if let context { Unmanaged<Watcher>.fromOpaque(context).takeRetainedValue().run() }
        return nil
      }, watcher.toOpaque())
    guard code == 0, cprocess_watch_termination(writeEnd) == 0 else {
      if code != 0 { watcher.release() }
      Glibc.close(writeEnd)
      Self.inUse.withLock { $0 = false }
      throw MartletError(.io, "Signals cannot be watched")
    }
    pthread_detach(thread)
  }

  deinit { stop() }

  /// Ends the watch and puts back what was there before; may be called any number of times.
  package func stop() {
    let wasActive = isActive.withLock { active in
      defer { active = false }
      return active
    }
    guard wasActive else { return }
    cprocess_unwatch_termination()
    Glibc.close(writeEnd)
    Self.inUse.withLock { $0 = false }
  }
}

/// Waits for the byte that the signal handler writes.
private final class Watcher: Sendable {
  let readEnd: Int32
  let handler: @Sendable (Int32) -> Void

  init(readEnd: Int32, handler: @escaping @Sendable (Int32) -> Void) {
    self.readEnd = readEnd
    self.handler = handler
  }

  deinit { Glibc.close(readEnd) }

  func run() {
    var byte: UInt8 = 0
    var count = 0
    repeat { count = read(readEnd, &byte, 1) } while count < 0 && errno == EINTR
    if count == 1 { handler(Int32(byte)) }
  }
}
