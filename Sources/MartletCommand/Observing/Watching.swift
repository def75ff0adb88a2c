import Foundations
import Logging
import Processes
import Runtime

/// Looking at a deployment until one has seen enough.
enum Watching {
  /// Connects and runs `body`, which takes messages from the stream. SIGINT and SIGTERM set the flag
  /// and end the waiting.
  ///
  /// - Throws: what the broker says when it is not reached within `patience`.
  static func run(
    _ address: DeploymentAddress, filters: [String], purpose: String, patience: Duration,
    maximumBytes: Int, logger: Logger, _ body: (TopicStream, StopFlag) throws -> Void
  ) throws {
    let stream = try TopicStream(
      address: address, filters: filters, purpose: purpose, maximumBytes: maximumBytes,
      logger: logger)
    defer { stream.close() }
    let stopped = StopFlag()
    let stop = stream.stopper
    let signals = try TerminationSignals { signal in
      stopped.set(signal: signal)
      stop()
      // Ends the waiting for a broker, too.
      stream.close()
    }
    defer { signals.stop() }
    do {
      try stream.connect(patience: patience)
    } catch {
      if stopped.signal != nil { return }
      throw error
    }
    try body(stream, stopped)
  }
}
