import FlightReport
import Foundations
import Logging
import Processes
import Recording
import Runtime
import WireProtocol

/// Feeds a report from recordings or from a broker.
struct ReportReading {
  private let options: ReportSourceOptions
  private let logger: Logger

  init(_ options: ReportSourceOptions, logger: Logger) {
    self.options = options
    self.logger = logger
  }

  /// Reads to the end.
  ///
  /// - Parameter look: called with the report so far, now and then while following.
  mutating func run(
    look: (FlightReport) throws(MartletError) -> Void
  ) throws -> FlightReport {
    if options.from.isEmpty { return try listen(look) }
    return try readFiles()
  }

  private func readFiles() throws -> FlightReport {
    let stopped = StopFlag()
    let signals = try TerminationSignals { stopped.set(signal: $0) }
    defer { signals.stop() }
    var builder: ReportBuilder?
    let named = options.access.deployment
    for path in try options.from.flatMap({ try RecordFiles.existing($0) }) {
      var reader = try RecordReader(path)
      var count = 0
      while let message = try reader.next() {
        if builder == nil, let deployment = named ?? ReportReading.deployment(of: message.topic) {
          builder = ReportBuilder(root: try TopicRoot(deployment: deployment))
        }
        builder?.add(topic: message.topic, payload: message.payload, time: message.time)
        count += 1
        if count % 4096 == 0 {
          try stopped.check()
          let (read, of) = reader.progress
          Terminal.progress("\(path): \(read * 100 / max(of, 1)) %, \(count) messages")
        }
      }
      if !reader.damage.isEmpty {
        let text = reader.damage.text(path)
        builder?.note(damage: text)
        Terminal.endProgress()
        Terminal.printLine("martlet: \(text)")
      }
    }
    guard let builder else {
      throw MartletError(
        .notFound, "the recordings hold no message of a deployment",
        context: ["files": options.from.joined(separator: ", ")])
    }
    return builder.report
  }

  /// The deployment of a topic of the contract.
  static func deployment(of topic: String) -> String? {
    let levels = topic.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    guard levels.count == 4, levels[0] == "martlet", levels[1] == TopicRoot.version,
      Identifier.isValid(levels[2])
    else { return nil }
    return String(levels[2])
  }

  private func listen(
    _ look: (FlightReport) throws(MartletError) -> Void
  ) throws -> FlightReport {
    let address = try options.access.address(broker: options.broker ?? "")
    let root = try TopicRoot(deployment: address.deployment)
    let filters = TopicOptions.texts.map { "martlet/\(TopicRoot.version)/\(root.deployment)/\($0)" }
    let stream = try TopicStream(
      address: address, filters: filters, purpose: "report", logger: logger)
    defer { stream.close() }
    let stop = stream.stopper
    let signals = try TerminationSignals { _ in stop() }
    defer { signals.stop() }
    try stream.connect(patience: options.patience.duration)
    var builder = ReportBuilder(root: root)
    let end = options.length.map { MonotonicTime.now() + $0.duration } ?? .distantFuture
    let step = options.follow ? options.every.duration : .milliseconds(500)
    var due = MonotonicTime.now() + step
    var dropped = 0
    while true {
      var isOver = MonotonicTime.now() >= end
      for event in stream.take(until: min(due, end)) {
        switch event {
        case .message(let message):
          builder.add(topic: message.topic, payload: message.payload, time: message.time)
          if let frames = options.frames, builder.answers >= frames { isOver = true }
        case .disconnected(let error): Terminal.printLine("martlet: \(error)")
        case .connected: break
        case .failed(let error): throw error
        case .stop: isOver = true
        }
        if isOver { break }
      }
      dropped += stream.takeDropped()
      if isOver { break }
      guard MonotonicTime.now() >= due else { continue }
      due = MonotonicTime.now() + step
      Terminal.progress("\(builder.answers) answers")
      if options.follow { try look(builder.report) }
    }
    if dropped > 0 { builder.note(damage: "\(dropped) messages came too fast and were lost") }
    return builder.report
  }
}
