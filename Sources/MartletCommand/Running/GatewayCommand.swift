import ArgumentParser
import Foundations
import Logging
import Plan
import Processes
import Resilience
import Runtime

/// `martlet gateway`: inference for clients that only know MQTT.
struct GatewayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gateway",
    abstract: "Answers inference/infer: a photograph or tensor in, JSON out.",
    discussion: """
      Any MQTT client can then classify images; see tools/classify.py. Several gateways of one group
      share the requests. A request whose answer would not be good enough (--min-expected) gets the
      status UNAVAILABLE, with the names of the devices that are missing. Photographs become inputs as
      the plan says (martlet plan --preprocessing); the log says how. SIGTERM or Ctrl-C answers what is
      under way and ends with status 0. Status 70 means that another gateway took over the name.

      Examples:
        martlet gateway --broker HOST --plan plan
        martlet call inference/infer gateway --file photo.jpg --broker HOST
      """)

  @OptionGroup var broker: BrokerOptions
  @OptionGroup var wire: WireOptions

  @Flag(help: WireOptions.deflateHelp)
  var deflateFrames = false

  @OptionGroup var log: LogOptions

  @Option(help: "The plan's folder.", completion: .directory)
  var plan: String

  @Option(help: "The name that callers use; gateways with the same one share the requests.")
  var group = "gateway"

  @Option(help: "This gateway's own name (default: the user name, else a random one).")
  var name: String?

  @Option(help: .hidden)
  var clockOffset = 0

  @Option(
    help: """
      Frames under way at once (default: 4; two for each device for plans of --method whole).
      """)
  var inFlight: Int?

  @Option(help: "Requests that may wait besides; more are refused with RESOURCE_EXHAUSTED.")
  var waiting = 32

  @OptionGroup var deadlines: DeadlineOptions
  @OptionGroup var copies: ReplicaOptions
  @OptionGroup var demands: AnswerOptions

  @Option(help: "How long to try to reach any device for a request.")
  var patience = TimeArgument(.seconds(10), "10s")

  func validate() throws {
    guard (1...64).contains(inFlight ?? 1) else {
      throw ValidationError("--in-flight must be 1 to 64")
    }
    guard (0...1024).contains(waiting) else { throw ValidationError("--waiting must be 0 to 1024") }
  }

  func run() throws {
    var configuration = GatewayConfiguration(address: try broker.address())
    configuration.name = name
    configuration.group = group
    configuration.framesInFlight = inFlight
    configuration.waitingRequests = waiting
    configuration.client.wire = wire.settings
    configuration.client.deflatesFrames = deflateFrames
    configuration.client.deadline = deadlines.deadline.policy
    configuration.client.replicas = copies.replicas
    configuration.client.patience = patience.duration
    let folder = try PlanFolder(reading: plan)
    configuration.client.study = try FailureTable.read(beside: folder)
    configuration.client.policy = try demands.policy(study: configuration.client.study)
    configuration.clockOffsetSeconds = clockOffset
    let (prepared, logger) = (configuration, try log.logger("martlet.gateway"))
    if let note = PreprocessingNote(of: folder) { logger.info("\(note.text)") }
    let gateway = try Host { least throws(MartletError) in
      var configuration = prepared
      configuration.leastEpoch = least
      return try Gateway(folder: folder, configuration: configuration, logger: logger)
    }
    let stop = gateway.stopper
    let signals = try TerminationSignals { _ in stop() }
    defer { signals.stop() }
    try gateway.run()
  }
}
