import ArgumentParser
import Glibc
import Inspection
import Logging
import MQTT
import Processes
import Runtime
import Synchronization
import TensorCore
import WireProtocol

/// `martlet top`: a deployment on one page that keeps itself up to date.
struct Top: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows devices, traffic and degraded answers on a page that keeps itself up to date.",
    discussion: """
      Devices: presence, age of the last heartbeat, frames a second, memory, watts (est. where they
      are not measured), and parts filled in since the page was opened. Topics: those with most
      bytes first, over the last five seconds. Below: the latest answers from which parts were
      missing. q or Ctrl-C ends it.

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
    let filters =
      noTensors
      ? ["presence/+", "heartbeat/+", "metric/#", "result/+", "rpc/#", "reply/#", "desc/+", "plan"]
      : []
    let page = Mutex(DeploymentPage(root: root, start: .now()))
    let queue = MessageQueue()
    // Nothing may be written beside the page.
    let quiet = Logger(label: "martlet.top") { _ in SwiftLogNoOpLogHandler() }
    try Listening.run(
      address, filters: TopicSelection.filters(filters, root: root), patience: patience.duration,
      logger: quiet, queue: queue,
      onMessage: { message in
        let (topic, isRetained) = (message.topic, message.retained)
        page.withLock {
          $0.receive(topic: topic, payload: message.payload, isRetained: isRetained, at: .now())
        }
      },
      onConnection: { isConnected in page.withLock { $0.isConnected = isConnected } }
    ) {
      try TerminalScreen.with { screen in
        try paint(screen, queue) { page.withLock { $0 } }
      }
    }
  }

  /// Paints until the user or a signal ends it.
  private func paint(
    _ screen: borrowing TerminalScreen, _ queue: MessageQueue, _ page: () -> DeploymentPage
  ) throws {
    let title = "martlet top  \(broker.deployment) at \(try BrokerAddress(parsing: broker.broker))"
    let hasColours = StandardOutput.isTerminal
    while true {
      let (now, size) = (MonotonicTime.now(), screen.size)
      let lines = DeploymentPageText.lines(
        page(), title: title, clock: String(MessageLine.clock(unixMilliseconds()).prefix(8)),
        width: size.columns, height: size.rows, at: now)
      try screen.show(lines.map { hasColours ? $0.coloured : $0.plain })
      guard try wait(screen, queue, until: now + every.duration) else { return }
    }
  }

  /// Waits until the page is to be painted again; false when it is to end.
  private func wait(
    _ screen: borrowing TerminalScreen, _ queue: MessageQueue, until deadline: MonotonicTime
  ) throws -> Bool {
    while MonotonicTime.now() < deadline {
      // Short turns, because signals and the broker end the queue and not the keyboard.
      let turn = min(deadline, MonotonicTime.now() + .milliseconds(100))
      switch screen.next(until: turn) {
      case .key(UInt8(ascii: "q")), .key(UInt8(ascii: "Q")), .key(3), .key(4), .hungUp: return false
      case .resized: return true
      case .key, .timeout: break
      }
      guard case .messages = try queue.take(until: .zero) else { return false }
    }
    return true
  }
}
