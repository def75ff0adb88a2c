package import Foundations
import Glibc
import Synchronization

/// A mosquitto of our own: a child process with a private Unix socket and a free loopback port.
///
/// It dies with this process. When this process runs as root, the broker becomes the user
/// `mosquitto` (or `nobody`) before it starts, so that it has no more rights than it needs.
package final class EmbeddedBroker: Sendable {
  /// The port on 127.0.0.1.
  package let port: UInt16
  /// The path of the Unix socket.
  package let socketPath: String
  /// The private folder of socket, configuration and log; removed by `stop`.
  package var folder: String { temporary.path }

  /// The text of `broker-config/embedded.conf`, with `{SOCKET}`, `{PORT}` and `{LOG}` to fill in.
  package static var configurationTemplate: String { EmbeddedBrokerTemplate.text }

  private let temporary: TemporaryFolder
  private let launcher: BrokerLauncher
  private let child: Mutex<ChildProcess?>

  /// Starts a broker and waits until it accepts connections.
  ///
  /// - Parameters:
  ///   - extraConfiguration: lines added to the end of the configuration, for tests; `{FOLDER}` in
  ///     them becomes the broker's folder.
  ///   - allowsAnonymous: false leaves out `allow_anonymous true`, for tests of passwords.
  ///   - timeout: how long the start may take.
  /// - Throws: `notFound` when mosquitto is not installed; `io` with the end of its log when it does
  ///   not start.
  package init(
    extraConfiguration: String = "", allowsAnonymous: Bool = true, timeout: Duration = .seconds(10)
  ) throws(MartletError) {
    temporary = try TemporaryFolder(prefix: "martlet-broker")
    let launcher = try BrokerLauncher(folder: temporary.path)
    var attempts = 0
    while true {
      attempts += 1
      let candidate = try System.freeLoopbackPort()
      try launcher.configure(
        port: candidate, extra: extraConfiguration, allowsAnonymous: allowsAnonymous)
      do throws(MartletError) {
        child = Mutex(try launcher.launch(port: candidate, timeout: timeout))
        port = candidate
        break
      } catch {
        // Another program may have taken the port in between.
        if attempts < 3 && error.message.contains("in use") { continue }
        throw error
      }
    }
    self.launcher = launcher
    socketPath = launcher.socketPath
  }

  deinit { stop() }

  /// `unix:` and the socket's path: the faster way in.
  package var socketAddress: String { "unix:\(socketPath)" }

  /// `mqtt://127.0.0.1:` and the port.
  package var networkAddress: String { "mqtt://127.0.0.1:\(port)" }

  /// The broker's process id, or nil while it does not run.
  package var processID: Int32? {
    child.withLock { $0.flatMap { $0.exitStatus == nil ? $0.processID : nil } }
  }

  /// What the broker wrote to its log: at most the last 64 KiB.
  package var log: String { launcher.logTail(65536) }

  /// Stops the broker and removes its folder; may be called any number of times.
  package func stop() {
    shutDown()
    removeTree(folder)
  }

  /// Stops the broker but keeps its folder and port, as a machine that reboots would.
  package func shutDown() {
    child.withLock {
      $0?.stop(patience: .seconds(3))
      $0 = nil
    }
  }

  /// Kills the broker without warning, as a machine that loses power would.
  package func crash() {
    child.withLock {
      $0?.signal(SIGKILL)
      _ = $0?.wait(timeout: .seconds(10))
      $0 = nil
    }
  }

  /// Starts the broker again on the same port and socket, with nothing remembered.
  ///
  /// - Throws: as `init`.
  package func restart(timeout: Duration = .seconds(10)) throws(MartletError) {
    shutDown()
    let started = try launcher.launch(port: port, timeout: timeout)
    child.withLock { $0 = started }
  }
}

/// Runs `body` with a broker, and stops the broker afterwards, also when `body` throws.
package func withEmbeddedBroker<Result>(
  extraConfiguration: String = "", _ body: (EmbeddedBroker) throws -> Result
) throws -> Result {
  let broker = try EmbeddedBroker(extraConfiguration: extraConfiguration)
  defer { broker.stop() }
  return try body(broker)
}

/// Runs `body` with a broker, and stops the broker afterwards, also when `body` throws or is
/// cancelled.
package func withEmbeddedBroker<Result>(
  extraConfiguration: String = "", _ body: (EmbeddedBroker) async throws -> Result
) async throws -> Result {
  let broker = try EmbeddedBroker(extraConfiguration: extraConfiguration)
  defer { broker.stop() }
  return try await body(broker)
}
