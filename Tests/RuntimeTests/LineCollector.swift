import Logging
import Synchronization

/// Keeps what is logged: a line a message, with its metadata.
final class LineCollector: Sendable {
  private struct Handler: LogHandler {
    let collector: LineCollector
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let pairs = (event.metadata ?? [:]).sorted { $0.key < $1.key }
        .map { " \($0.key)=\($0.value)" }.joined()
      collector.lines.withLock { $0.append("\(event.level): \(event.message)\(pairs)") }
    }
  }

  private let lines = Mutex<[String]>([])

  /// A logger that writes here, from level info on.
  var logger: Logger { Logger(label: "test") { _ in Handler(collector: self) } }

  /// All lines so far.
  var text: String { lines.withLock { $0.joined(separator: "\n") } }
}
