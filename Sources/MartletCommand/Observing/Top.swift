import ArgumentParser
import Foundations
import Glibc
import Inspection
import Logging
import MQTT
import Processes
import Recording
import Runtime
import WireProtocol

/// `martlet top`: a deployment on one page that keeps itself up to date.
struct Top: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows devices, traffic and answers on a page that keeps itself up to date.",
    discussion: """
      Devices: presence, age of the last heartbeat, frames a second, memory, watts (~ where they are
      estimated), and parts filled in since the page was opened. A device is suspect when it has been
      silent for three heartbeats, and also when it beats but clients go on without it because its
      parts were late. Topics: those with most bytes first, over the last five seconds. Below: the
      latest answers, in colour those from which parts were missing. q or Ctrl-C ends it.

      It receives everything the deployment sends. --no-tensors leaves inputs and parts out, for a
      broker or network that has little to spare.

      Examples:
        martlet top --broker localhost
        martlet top --broker mqtts://broker.local --ca-file ca.pem --username laptop --no-tensors
      """)

  @OptionGroup var broker: BrokerOptions

  @Flag(help: "Do not receive inputs and parts: their topics are not shown.")
  var noTensors = false

  @Option(help: "How often the page is painted.")
  var every = TimeArgument(.seconds(1), "1s")

  @Option(help: "How long to try to reach the broker.")
  var patience = TimeArgument(.seconds(10), "10s")

  func validate() throws {
    guard every.duration >= .milliseconds(50) else {
      throw ValidationError("--every must be at least 50ms")
    }
  }

  func run() throws {
    let knowsPages = getenv("TERM").map { strcmp($0, "dumb") != 0 && strlen($0) > 0 } ?? false
    guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1, knowsPages else {
      throw MartletError(
        .invalidArgument, "martlet top needs a terminal",
        hint: "martlet inspect --stats or martlet inspect --json write lines instead")
    }
    let address = try broker.address()
    let root = try TopicRoot(deployment: address.deployment)
    let below = noTensors ? TopicOptions.texts : []
    // Nothing may be written beside the page.
    let quiet = Logger(label: "martlet.top") { _ in SwiftLogNoOpLogHandler() }
    try Watching.run(
      address, filters: TopicSelection.filters(below, root: root), purpose: "top",
      patience: patience.duration, maximumBytes: 64 << 20, logger: quiet
    ) { stream, _ in
      var page = DeploymentPage(root: root, start: .now())
      try TerminalScreen.with { screen in
        repeat {
          try paint(page, on: screen)
        } while try watch(stream, screen, until: .now() + every.duration, &page)
      }
    }
  }

  private func paint(_ page: DeploymentPage, on screen: borrowing TerminalScreen) throws {
    let size = screen.size
    let lines = DeploymentPageText.lines(
      page,
      title: "martlet top  \(broker.deployment) at \(try BrokerAddress(parsing: broker.broker))",
      clock: String(MessageLine.clock(RecordedMessage.now()).prefix(8)), width: size.columns,
      height: size.rows, at: .now())
    try screen.show(lines.map { StandardOutput.hasColours ? $0.coloured : $0.plain })
  }

  /// Takes messages in until the page is to be painted again; false when it is to end.
  private func watch(
    _ stream: TopicStream, _ screen: borrowing TerminalScreen, until deadline: MonotonicTime,
    _ page: inout DeploymentPage
  ) throws -> Bool {
    while MonotonicTime.now() < deadline {
      // Short turns: the keyboard and the broker cannot be waited for at once.
      let event = screen.next(until: min(deadline, MonotonicTime.now() + .milliseconds(50)))
      guard try takeIn(stream, &page) else { return false }
      switch event {
      case .key(UInt8(ascii: "q")), .key(UInt8(ascii: "Q")), .key(3), .key(4), .hungUp: return false
      case .resized: return true
      case .key, .timeout: break
      }
    }
    return true
  }

  /// Takes in what has come; false when the user has stopped.
  private func takeIn(_ stream: TopicStream, _ page: inout DeploymentPage) throws -> Bool {
    let now = MonotonicTime.now()
    for event in stream.take(until: .zero) {
      switch event {
      case .message(let message):
        page.receive(
          topic: message.topic, payload: message.payload, isRetained: message.isRetained, at: now)
      case .connected: page.isConnected = true
      case .disconnected: page.isConnected = false
      case .failed(let error): throw error
      case .stop: return false
      }
    }
    page.dropped += stream.takeDropped()
    return true
  }
}
