import Foundations
import Inspection
import JSONCoding
import Logging
import Processes
import Recording
import Runtime
import Tables
import Tensors
import WireProtocol

/// One run of `martlet inspect`.
final class InspectSession {
  private let options: Inspect
  private let root: TopicRoot
  private let stream: TopicStream
  private let stopped: StopFlag
  private let deadline: MonotonicTime
  private var reader: MessageReader
  private var collector: TensorCollector
  private var shown = 0
  private var dropped = 0
  private var nextTelling = MonotonicTime.zero

  /// How much may wait for a slow reader or disk.
  static let maximumWaitingBytes = 16 << 20

  init(_ options: Inspect, root: TopicRoot, stream: TopicStream, stopped: StopFlag) {
    self.options = options
    self.root = root
    self.stream = stream
    self.stopped = stopped
    deadline = options.duration.map { MonotonicTime.now() + $0.duration } ?? .distantFuture
    reader = MessageReader(root: root)
    collector = TensorCollector(root: root)
  }

  /// What came until `time`; nil when the user has stopped.
  private func messages(until time: MonotonicTime) throws -> [RecordedMessage]? {
    var messages: [RecordedMessage] = []
    for event in stream.take(until: time) {
      switch event {
      case .message(let message): messages.append(message)
      case .failed(let error): throw error
      case .stop: return nil
      // The client says so by itself.
      case .connected, .disconnected: break
      }
    }
    return stopped.signal == nil ? messages : nil
  }

  private func write(_ text: String) throws(MartletError) {
    guard !text.isEmpty else { return }
    try StandardOutput.write(text, isStopped: { stopped.signal != nil })
  }

  // MARK: Message by message

  /// Shows or saves messages until there are enough.
  ///
  /// - Throws: `timedOut` when too few came in the time given.
  func follow(_ saver: TensorSaver?) throws {
    defer { tellLosses(isLast: true) }
    while !isDone {
      let wake = min(deadline, MonotonicTime.now() + .seconds(1))
      guard let batch = try messages(until: wake) else { return }
      var text = ""
      for message in batch where !isDone {
        text += try saver.map { try save(message, $0) } ?? line(message)
        guard text.utf8.count > 1 << 16 else { continue }
        try write(text)
        text = ""
        if stopped.signal != nil { return }
      }
      try write(text)
      tellLosses(isLast: false)
      if !isDone, MonotonicTime.now() >= deadline { return try checkCount() }
    }
  }

  private var isDone: Bool { options.limit.map { shown >= $0 } ?? false }

  private func checkCount() throws {
    guard options.once || options.count != nil else { return }
    throw MartletError(
      .timedOut, "fewer messages came than were wanted",
      context: ["came": "\(shown)", "wanted": "\(options.limit ?? 0)"])
  }

  private func line(_ message: RecordedMessage) throws -> String {
    let reading = reader.read(message.payload, on: message.topic)
    shown += 1
    if options.json {
      return VisibleText.visibleJSON(try JSON.encodeString(MessageRecord(message, reading))) + "\n"
    }
    let line = MessageLine.text(
      message, reading, root: root, clock: MessageLine.clock(message.time))
    return (StandardOutput.hasColours ? line.coloured : line.plain) + "\n"
  }

  /// Writes the tensor that a message completes; returns a line about it, or nothing.
  private func save(_ message: RecordedMessage, _ saver: TensorSaver) throws -> String {
    var collected: TensorCollector.Collected?
    _ = reader.read(message.payload, on: message.topic) {
      collected = collector.receive($0, topic: message.topic)
    }
    guard let collected else { return "" }
    let path = try saver.save(collected)
    shown += 1
    if options.json {
      let record = SavedRecord(
        file: path, topic: message.topic, shape: collected.tensor.shape.dimensions,
        metadata: Dictionary(
          collected.metadata.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 }))
      return VisibleText.visibleJSON(try JSON.encodeString(record)) + "\n"
    }
    let statistics = (collected.tensor.floats ?? []).withUnsafeBufferPointer {
      TensorStatistics($0)
    }
    let line = "\(path)  \(collected.tensor.shape)  \(MessageLine.figures(statistics))"
    return VisibleText.visible(line) + "\n"
  }

  private struct SavedRecord: Encodable {
    var file: String
    var topic: String
    var shape: [Int]
    var metadata: [String: String]
  }

  /// What was not shown or saved, at most once a second and at the end.
  private func tellLosses(isLast: Bool) {
    dropped += stream.takeDropped()
    if dropped > 0, isLast || MonotonicTime.now() >= nextTelling {
      Terminal.printLine(
        "martlet: \(dropped) messages left out: they came faster than they could be written")
      dropped = 0
      nextTelling = MonotonicTime.now() + .seconds(1)
    }
    guard isLast, collector.refused + collector.abandoned > 0 else { return }
    Terminal.printLine(
      "martlet: \(collector.abandoned) tensors with missing chunks and \(collector.refused) too "
        + "large ones were not saved")
  }

  // MARK: Sums

  /// Counts by topic; on a terminal the table is painted every second.
  func sumUp() throws {
    var table = TrafficTable(start: .now())
    let isLive = Terminal.isOutputInteractive && !options.json
    var painted = 0
    var due = table.start + .seconds(1)
    while MonotonicTime.now() < deadline {
      guard let batch = try messages(until: min(deadline, due)) else { break }
      let now = MonotonicTime.now()
      for message in batch {
        table.record(
          topic: message.topic, bytes: message.payload.count, isRetained: message.isRetained,
          at: now)
      }
      tellLosses(isLast: false)
      guard now >= due else { continue }
      due = now + .seconds(1)
      guard isLive else { continue }
      let lines = lines(of: table)
      try write(erase(painted) + lines.map { $0 + "\n" }.joined())
      painted = lines.count
    }
    tellLosses(isLast: true)
    let report = TrafficReport(table, root: root, at: .now())
    let text =
      options.json ? VisibleText.visibleJSON(try JSON.encodeString(report)) : report.text()
    // Also after Ctrl-C: this is what it was for.
    try StandardOutput.write(erase(painted) + text + "\n")
  }

  /// As much of the table as the terminal has room for.
  private func lines(of table: TrafficTable) -> [String] {
    let size = TerminalSize(of: 1)
    let text = TrafficReport(table, root: root, at: .now()).text(rows: max(1, size.rows - 5))
    return text.split(separator: "\n", omittingEmptySubsequences: false).map {
      StyledText(String($0)).prefix(size.columns - 1).plain
    }
  }

  /// Goes back over what was painted before.
  private func erase(_ lines: Int) -> String { lines > 0 ? "\u{1B}[\(lines)A\u{1B}[J" : "" }
}
