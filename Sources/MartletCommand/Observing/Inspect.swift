import ArgumentParser
import Foundations
import Inspection
import Runtime
import WireProtocol

/// `martlet inspect`: what travels on the topics, decoded.
struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows the messages of a deployment, decoded, one line each.",
    discussion: """
      A tensor is shown as frame, stage, shape, type, range and share of zeros; JSON on one line;
      anything else as text or bytes. What is not as its topic promises is said to be so. Messages
      that this output or the disk is too slow for are left out and counted.

      A filter that begins with presence, heartbeat, desc, plan, input, act, rpc, reply, metric or
      result is below the deployment's topics; any other is taken as it is.

      Ctrl-C ends it with status 0. Status 75: --count messages did not come within --for.

      Examples:
        martlet inspect --broker localhost                        everything
        martlet inspect --broker localhost 'act/+/d0' --count 20  twenty parts of one device
        martlet inspect --broker localhost result/+ --json | jq .json.label
        martlet inspect --broker localhost --stats --for 10s      what comes how often
        martlet inspect --broker localhost 'act/conv-1/+' --save parts --once
      """)

  @OptionGroup var broker: BrokerOptions
  @OptionGroup var log: LogOptions

  @Argument(help: "Topic filters; all of the deployment unless given.")
  var filters: [String] = []

  @Flag(help: "Sum up by topic: messages, bytes, rates, last seen, retained.")
  var stats = false

  @Option(
    help: "Write whole tensors as files into this folder; ends after 10000 unless --count says so.",
    completion: .directory)
  var save: String?

  @OptionGroup var overwrite: OverwriteOptions

  @Option(help: "The form of those files: safetensors or npy. Elements are written as float32.")
  var format = TensorSaver.Format.safetensors

  @Flag(help: "End after the first message, or with --save the first tensor.")
  var once = false

  @Option(help: "End after this many messages, or with --save tensors.")
  var count: Int?

  @Option(name: .customLong("for"), help: "End after this time.")
  var duration: TimeArgument?

  @Option(help: "How long to try to reach the broker.")
  var patience = TimeArgument(.seconds(10), "10s")

  @Flag(help: "One JSON object a message, or one in all with --stats.")
  var json = false

  func validate() throws {
    guard count ?? 1 > 0 else { throw ValidationError("--count must be at least 1") }
    guard !once || count == nil else { throw ValidationError("--once is --count 1: give one") }
    guard !stats || (save == nil && count == nil && !once) else {
      throw ValidationError("--stats ends by --for or Ctrl-C, and saves nothing")
    }
  }

  func run() throws {
    let address = try broker.address()
    let root = try TopicRoot(deployment: address.deployment)
    // Before connecting: a folder that cannot be made should be known at once.
    let saver = try save.map {
      try TensorSaver(folder: $0, format: format, replaces: overwrite.force)
    }
    try Watching.run(
      address, filters: TopicSelection.filters(filters, root: root), purpose: "inspect",
      patience: patience.duration, maximumBytes: InspectSession.maximumWaitingBytes,
      logger: try log.logger("martlet.inspect")
    ) { stream, stopped in
      let session = InspectSession(self, root: root, stream: stream, stopped: stopped)
      if stats { try session.sumUp() } else { try session.follow(saver) }
    }
  }

  /// After how many messages or tensors to end.
  var limit: Int? { once ? 1 : count ?? (save == nil ? nil : 10_000) }
}
