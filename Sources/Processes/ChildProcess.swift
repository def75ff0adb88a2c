import CProcess
package import Foundations
import Glibc
import Synchronization

/// A program running as a child of this one.
///
/// It dies with this process, however this process ends (SIGKILL included). It has its own process
/// group, so Ctrl-C in the terminal reaches only the parent, which then stops its children in order.
/// No descriptor of the parent reaches it but the three standard ones.
package final class ChildProcess: Sendable {
  /// Where the child's output goes.
  package enum Output: Sendable, Equatable {
    /// To the same place as the parent's.
    case inherited
    /// Nowhere.
    case discarded
    /// To a file, created with mode 0600 or emptied.
    case file(String)
    /// To the end of a file, created with mode 0600.
    case appended(String)
    /// To a descriptor that the caller opened and closes.
    case descriptor(Int32)
  }

  /// What to start and how.
  package struct Configuration: Sendable {
    /// The path of the program.
    package var executable: String
    /// The arguments after the program's name.
    package var arguments: [String]
    /// The whole environment, or nil for the parent's.
    package var environment: [String: String]?
    /// The working folder, or nil for the parent's.
    package var folder: String?
    /// Where its standard output goes.
    package var standardOutput: Output
    /// Where its standard error goes.
    package var standardError: Output
    /// The user to become; only root may ask for it.
    package var identity: UserIdentity?

    /// A program with arguments, output inherited.
    package init(
      executable: String, arguments: [String] = [], environment: [String: String]? = nil,
      folder: String? = nil, standardOutput: Output = .inherited,
      standardError: Output = .inherited, identity: UserIdentity? = nil
    ) {
      self.executable = executable
      self.arguments = arguments
      self.environment = environment
      self.folder = folder
      self.standardOutput = standardOutput
      self.standardError = standardError
      self.identity = identity
    }
  }

  /// The process id.
  package let processID: Int32
  private let executable: String
  private let status = Mutex<ExitStatus?>(nil)
  /// Readable once the child has ended; -1 on kernels before 5.3.
  private let descriptor: Int32

  /// Starts a program.
  ///
  /// - Throws: `notFound` or `permissionDenied` when it cannot be run, `io` when its output cannot
  ///   be opened, `resourceExhausted` when the system has no room for another process.
  package init(_ configuration: Configuration) throws(MartletError) {
    executable = configuration.executable
    processID = try Self.start(configuration)
    descriptor = cprocess_pidfd(processID)
  }

  deinit {
    if status.withLock({ $0 }) == nil {
      kill(processID, SIGKILL)
      var code: Int32 = 0
      while waitpid(processID, &code, 0) < 0 && errno == EINTR {}
    }
    if descriptor >= 0 { Glibc.close(descriptor) }
  }

  /// Sends a signal; does nothing once the child has been seen to end, so its id cannot have been
  /// given to another process.
  package func signal(_ number: Int32) {
    status.withLock { if $0 == nil { kill(processID, number) } }
  }

  /// How it ended, or nil while it runs.
  package var exitStatus: ExitStatus? {
    status.withLock { known in
      if known != nil { return known }
      var code: Int32 = 0
      if waitpid(processID, &code, WNOHANG) == processID { known = ExitStatus(waitStatus: code) }
      return known
    }
  }

  /// Waits until it has ended. Returns nil when it still runs after `timeout`.
  package func wait(timeout: Duration) -> ExitStatus? {
    let deadline = ContinuousClock.now + timeout
    while true {
      if let status = exitStatus { return status }
      let left = deadline - .now
      if left <= .zero { return nil }
      let milliseconds =
        min(left.components.seconds, 3600) * 1000
        + left.components.attoseconds / 1_000_000_000_000_000 + 1
      pause(Int32(milliseconds))
    }
  }

  /// Waits at most this long, less when the child ends before.
  func pause(_ milliseconds: Int32) {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    // Without a process descriptor there is nothing to poll but the clock.
    poll(&entry, 1, descriptor >= 0 ? milliseconds : min(milliseconds, 5))
  }

  /// Asks it to end with SIGTERM, and kills it when it has not within `patience`.
  @discardableResult
  package func stop(patience: Duration) -> ExitStatus {
    signal(SIGTERM)
    if let status = wait(timeout: patience) { return status }
    signal(SIGKILL)
    while true {
      if let status = wait(timeout: .seconds(60)) { return status }
    }
  }
}
