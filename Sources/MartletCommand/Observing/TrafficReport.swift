package import Foundations
package import Inspection
import Tables
package import WireProtocol

/// The traffic by topic, for people and for scripts.
package struct TrafficReport: Encodable, Sendable {
  /// The traffic of one topic.
  package struct Row: Encodable, Sendable {
    package var topic: String
    package var messages: UInt64
    package var bytes: UInt64
    package var messagesPerSecond: Double
    package var bytesPerSecond: Double
    package var lastSeenSeconds: Double
    package var isRetained: Bool

    private enum CodingKeys: String, CodingKey {
      case topic, messages, bytes
      case messagesPerSecond = "messages_per_second"
      case bytesPerSecond = "bytes_per_second"
      case lastSeenSeconds = "last_seen_s"
      case isRetained = "retained"
    }
  }

  /// How long the traffic was looked at.
  package var seconds: Double
  /// Those with the most bytes first.
  package var topics: [Row]
  /// What came on further topics than are told apart.
  package var others: Row?
  /// All together.
  package var total: Row

  /// Mean rates since the table began.
  package init(_ table: TrafficTable, root: TopicRoot, at now: MonotonicTime) {
    let seconds = max(Double(now.nanoseconds(since: table.start)) / 1e9, 0.001)
    self.seconds = seconds
    func row(_ topic: String, _ entry: TrafficTable.Entry) -> Row {
      Row(
        topic: topic, messages: entry.messages, bytes: entry.bytes,
        messagesPerSecond: Double(entry.messages) / seconds,
        bytesPerSecond: Double(entry.bytes) / seconds,
        lastSeenSeconds: Double(now.nanoseconds(since: entry.lastSeen)) / 1e9,
        isRetained: entry.isRetained)
    }
    topics = table.topics.map { row(TopicSelection.short($0.key, root: root), $0.value) }
      .sorted { ($1.bytes, $0.topic) < ($0.bytes, $1.topic) }
    others = table.others.map { row("further topics", $0) }
    total = row("total", table.total)
  }

  /// A table, with at most `rows` topics.
  package func text(rows: Int = .max) -> String {
    var table = TextTable(
      "topic", "messages", "messages/s", "bytes", "bytes/s", "last seen", "retained")
    let shown = topics.prefix(rows)
    let hidden = topics.count - shown.count
    for row in shown + [others].compactMap({ $0 }) + [total] {
      table.add(
        VisibleText.visible(row.topic), "\(row.messages)", row.messagesPerSecond.formatted(1),
        Int(clamping: row.bytes).asBytes, row.bytesPerSecond.asBytes,
        row.lastSeenSeconds.formatted(1) + " s", row.isRetained ? "yes" : "no")
    }
    return table.text + (hidden > 0 ? "\nand \(hidden) more topics" : "")
  }
}
