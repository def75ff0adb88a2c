import ArgumentParser
import Foundations
import Glibc
import Processes
import Recording
import Runtime
import Tables
import TensorFiles

/// `martlet record`: everything that a deployment publishes, in a file.
struct Record: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes everything that a deployment publishes to a file.",
    discussion: """
      For martlet report and martlet replay. Stops at Ctrl-C, after --for or after --frames answers;
      an existing recording is continued. What was written is readable whatever happens next: a
      crash costs at most the last second, a full disk stops the recording with status 75.

      Examples:
        martlet record --broker broker.local -o flight.rec
        martlet record --broker broker.local --no-tensors --rotate 64MB --keep 10 -o log/flight.rec
      """)

  @OptionGroup var broker: BrokerOptions
  @OptionGroup var topics: TopicOptions
  @OptionGroup var log: LogOptions

  @Option(name: [.short, .long], help: "The file to write.", completion: .file())
  var output: String

  @Option(name: .customLong("for"), help: "Stop after this time, such as 60s or 10min.")
  var length: TimeArgument?

  @Option(help: "Stop after this many answers on result/<client>.")
  var frames: Int?

  @Option(
    help: "Begin a new numbered file when one would become larger, such as 64MB.")
  var rotate: ByteArgument?

  @Option(help: "With --rotate: keep only the newest so many files.")
  var keep: Int?

  @Flag(help: "Write messages as they are, not deflated.")
  var noCompression = false

  @Option(help: "How long to try to reach the broker at the start.")
  var patience = TimeArgument(.seconds(30), "30s")

  @Flag(help: "Print the summary as JSON.")
  var json = false

  func validate() throws {
    guard keep == nil || rotate != nil else { throw ValidationError("--keep needs --rotate") }
    guard keep ?? 1 > 0, frames ?? 1 > 0 else {
      throw ValidationError("--keep and --frames must be at least 1")
    }
    guard rotate?.bytes ?? 1_000_000 >= 100_000 else {
      throw ValidationError("--rotate must be at least 100kB")
    }
  }

  func run() throws {
    // A limit on the size of files is an error to report, not a reason to vanish.
    signal(SIGXFSZ, SIG_IGN)
    var options = RecordWriter.Options()
    options.isDeflated = !noCompression
    options.rotationBytes = rotate?.bytes
    options.keptFiles = keep
    let address = try broker.address()
    let stream = try TopicStream(
      address: address, filters: try topics.filters(deployment: address.deployment),
      purpose: "record", logger: try log.logger("martlet.record"))
    defer { stream.close() }
    let stop = stream.stopper
    let signals = try TerminationSignals { _ in stop() }
    defer { signals.stop() }
    // What stands there must be a recording, which is continued. Nothing is made before the broker is
    // reached, so that one that is not leaves no file behind.
    try OutputFiles.checkFolders([output])
    if FileSystem.exists(output), try ReadableFile(output).size > 0 {
      _ = try RecordReader(output)
    }
    try stream.connect(patience: patience.duration)
    var writer = try RecordWriter(output, options: options)
    Terminal.printLine("martlet: recording to \(writer.files.last ?? output); Ctrl-C stops")
    var session = RecordSession(frames: frames, length: length?.duration)
    let result = Result { () throws(MartletError) in try session.run(stream, into: &writer) }
    let summary = RecordSummary(
      messages: writer.messages, dropped: session.dropped, bytes: writer.writtenBytes,
      files: writer.files)
    Terminal.endProgress()
    if json { try Terminal.printJSON(summary) } else { try Terminal.print(summary.text) }
    try result.get()
  }
}

/// What a recording has come to.
struct RecordSummary: Encodable {
  var messages: Int
  var dropped: Int
  var bytes: Int
  var files: [String]

  var text: String {
    "\(messages) messages, \(bytes.asBytes) in \(files.joined(separator: ", "))"
      + (dropped > 0 ? "; \(dropped) messages were lost because the disk was too slow" : "")
  }
}

/// The loop of a recording: from the stream to the file, flushed every second.
struct RecordSession {
  private(set) var dropped = 0
  private let frames: Int?
  private let end: MonotonicTime
  private var answers = 0

  init(frames: Int?, length: Duration?) {
    self.frames = frames
    end = length.map { MonotonicTime.now() + $0 } ?? .distantFuture
  }

  mutating func run(
    _ stream: TopicStream, into writer: inout RecordWriter
  ) throws(MartletError) {
    var due = MonotonicTime.now().adding(milliseconds: 1000)
    while true {
      var isOver = MonotonicTime.now() >= end
      for event in stream.take(until: min(due, end)) {
        switch event {
        case .message(let message):
          // Retained answers do not exist; what is retained was there before.
          if message.topic.contains("/result/") { answers += 1 }
          if message.payload.count <= RecordedMessage.maximumPayloadBytes {
            try writer.append(message)
          } else {
            dropped += 1
          }
        case .disconnected(let error): Terminal.printLine("martlet: \(error)")
        case .connected: break
        case .failed(let error):
          try writer.finish()
          throw error
        case .stop: isOver = true
        }
        if let frames, answers >= frames { isOver = true }
        if isOver { break }
      }
      dropped += stream.takeDropped()
      if isOver { return try writer.finish() }
      if MonotonicTime.now() >= due {
        try writer.flush()
        due = MonotonicTime.now().adding(milliseconds: 1000)
        Terminal.progress(
          "\(writer.messages) messages, \(writer.writtenBytes.asBytes)"
            + (dropped > 0 ? ", \(dropped) lost" : ""))
      }
    }
  }
}
