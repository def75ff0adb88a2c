import Inspection
import JSONCoding
import Logging
import MQTT
import Processes
import Runtime
import Synchronization
import TensorCore
import WireProtocol

/// One run of `martlet inspect`.
final class InspectSession {
  private let options: Inspect
  private let root: TopicRoot
  private let queue = MessageQueue()
  private var output = StandardOutput()
  private var shown = 0
  private var droppedTold: UInt64 = 0
  private var nextTelling = MonotonicTime.zero

  init(_ options: Inspect, root: TopicRoot) {
    self.options = options
    self.root = root
  }

  /// Listens until it has seen enough.
  ///
  /// - Throws: `timedOut` when too few messages came in the time given.
  func run(_ address: DeploymentAddress, filters: [String], logger: Logger) throws {
    if options.stats {
      let table = Mutex(TrafficTable(start: .now()))
      try Listening.run(
        address, filters: filters, patience: options.patience.duration, logger: logger,
        queue: queue,
        onMessage: { message in
          let (topic, bytes) = (message.topic, message.payload.count)
          let isRetained = message.retained
          table.withLock {
            $0.record(topic: topic, bytes: bytes, isRetained: isRetained, at: .now())
          }
        }
      ) { try sumUp { table.withLock { $0 } } }
    } else {
      // Before connecting: a folder that cannot be made should be known at once.
      let saver = try options.save.map { try TensorSaver(folder: $0, format: options.format) }
      try Listening.run(
        address, filters: filters, patience: options.patience.duration, logger: logger,
        queue: queue, onMessage: { [queue] message in queue.offer(message) }
      ) { try follow(saver) }
    }
  }

  private var deadline: MonotonicTime {
    options.duration.map { MonotonicTime.now() + $0.duration } ?? .distantFuture
  }

  // MARK: Message by message

  private func follow(_ saver: TensorSaver?) throws {
    let deadline = deadline
    var reader = MessageReader(root: root)
    var collector = TensorCollector(root: root)
    defer { tellLosses(collector, isLast: true) }
    while !output.isClosed, !isDone {
      let wake = min(deadline, MonotonicTime.now() + .seconds(1))
      guard case .messages(let batch) = try queue.take(until: wake) else { return }
      var text = ""
      for message in batch where !isDone && !queue.isEnded {
        if let saver {
          text += try save(message, &reader, &collector, saver)
        } else {
          text += try line(message, reader.read(message)) + "\n"
          shown += 1
        }
        guard text.utf8.count > 1 << 16 else { continue }
        try write(&text)
      }
      try write(&text)
      tellLosses(collector, isLast: false)
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

  private func line(_ message: ObservedMessage, _ reading: MessageReading) throws -> String {
    if options.json {
      return VisibleText.visibleJSON(
        try JSON.encodeString(MessageRecord(message, reading)))
    }
    let line = MessageLine.text(
      message, reading, root: root, clock: MessageLine.clock(message.unixMilliseconds))
    return StandardOutput.isTerminal ? line.coloured : line.plain
  }

  /// Writes the tensor that a message completes; returns a line about it, or nothing.
  private func save(
    _ message: ObservedMessage, _ reader: inout MessageReader, _ collector: inout TensorCollector,
    _ saver: TensorSaver
  ) throws -> String {
    var collected: TensorCollector.Collected?
    _ = reader.read(message) { collected = collector.receive($0, topic: message.topic) }
    guard let collected else { return "" }
    let path = try saver.save(collected)
    shown += 1
    let statistics = (collected.tensor.floats ?? []).withUnsafeBufferPointer {
      TensorStatistics($0)
    }
    if options.json {
      let record = SavedRecord(
        file: path, topic: message.topic, shape: collected.tensor.shape.dimensions,
        metadata: Dictionary(
          collected.metadata.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 }))
      return VisibleText.visibleJSON(try JSON.encodeString(record)) + "\n"
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

  private func write(_ text: inout String) throws {
    guard !text.isEmpty else { return }
    try output.write(text, isStopped: { queue.isEnded })
    text = ""
  }

  /// What was not shown or saved, at most once a second and at the end.
  private func tellLosses(_ collector: TensorCollector, isLast: Bool) {
    let dropped = queue.dropped
    if dropped > droppedTold, isLast || MonotonicTime.now() >= nextTelling {
      Terminal.printLine(
        "martlet: \(dropped - droppedTold) messages left out: they came faster than they could be "
          + "written")
      droppedTold = dropped
      nextTelling = MonotonicTime.now() + .seconds(1)
    }
    guard isLast, collector.refused + collector.abandoned > 0 else { return }
    Terminal.printLine(
      "martlet: \(collector.abandoned) tensors with missing chunks and \(collector.refused) too "
        + "large ones were not saved")
  }

  // MARK: Sums

  private func sumUp(_ snapshot: () -> TrafficTable) throws {
    let deadline = deadline
    let isLive = StandardOutput.isTerminal && !options.json
    var painted = 0
    while !output.isClosed {
      let wake = isLive ? min(deadline, MonotonicTime.now() + .seconds(1)) : deadline
      guard case .messages = try queue.take(until: wake), MonotonicTime.now() < deadline else {
        break
      }
      let size = TerminalSize(of: 1)
      let lines = report(snapshot()).text(rows: max(1, size.rows - 5)).split(
        separator: "\n", omittingEmptySubsequences: false)
      let text = lines.map { StyledText(String($0)).prefix(size.columns - 1).plain + "\n" }.joined()
      try output.write(erase(painted) + text, isStopped: { queue.isEnded })
      painted = lines.count
    }
    let report = report(snapshot())
    let text = options.json ? try JSON.encodeString(report) : report.text()
    try output.write(
      erase(painted) + (options.json ? VisibleText.visibleJSON(text) : text) + "\n",
      isStopped: { false })
  }

  private func report(_ table: TrafficTable) -> TrafficReport {
    TrafficReport(table, root: root, at: .now())
  }

  /// Goes back over what was painted before.
  private func erase(_ lines: Int) -> String { lines > 0 ? "\u{1B}[\(lines)A\u{1B}[J" : "" }
}
