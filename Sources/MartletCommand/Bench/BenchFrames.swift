import ArgumentParser
import Benchmarks
import Foundations
import LocalFleet
import Plan
import Processes
import Tables
import TensorFiles

/// `martlet bench frames`: frames a second and latency of a plan on this machine.
struct BenchFrames: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "frames",
    abstract: "Times frames through a broker, worker processes and a client on this machine.",
    discussion: """
      tools/bench/peers compares the figures with another way of exchanging parts, tools/bench/brokers
      those of brokers. Processor times are those of one frame.

      With --broker the workers, still of this machine, meet at a broker that is there already, in a
      deployment of their own unless --deployment names one. Where each device has a user of its own,
      --users names the folder of their password files, as tools/make-broker makes it.

      Examples:
        martlet bench frames --plan plan --tensor input.npy
        martlet bench frames --plan plan --tensor input.npy --in-flight 4 --seconds 30 --json
        martlet bench frames --plan plan --tensor input.npy --broker mqtts://broker.local \\
          --ca-file authority.pem --username client --password-file users/client --users users
      """)

  @Option(help: "The plan's folder, with the weights of all devices.", completion: .directory)
  var plan: String

  @Option(help: "Every frame's input, a NumPy file of float32.", completion: .file())
  var tensor: String

  @Option(
    help: ArgumentHelp(
      "A broker that is there already, instead of one of its own.", valueName: "url"))
  var broker: String?

  @OptionGroup var access: BrokerAccessOptions

  @Option(
    help: "Folder with a password file for each device, named like it and its user.",
    completion: .directory)
  var users: String?

  @Option(help: "Frames under way at once.")
  var inFlight = 1

  @Option(help: "How long to measure.")
  var seconds = 10.0

  @Option(help: "Further options of martlet worker, in one word.")
  var workerOptions = ""

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    guard (1...64).contains(inFlight) else { throw ValidationError("--in-flight must be 1 to 64") }
    guard broker != nil || (users == nil && access.isEmpty) else {
      throw ValidationError("the options of a broker's users and certificates go with --broker")
    }
    guard seconds > 0, seconds < 1e6 else { throw ValidationError("--seconds must be above 0") }
  }

  func run() throws {
    let stopped = StopFlag()
    let signals = try TerminationSignals { stopped.set(signal: $0) }
    defer { signals.stop() }
    let result = try FrameBenchmark(
      plan: try PlanFolder(reading: plan), input: try NumpyFile.read(tensor), inFlight: inFlight,
      length: .milliseconds(Int(seconds * 1000)),
      workerOptions: workerOptions.split(separator: " ").map(String.init), site: try site()
    ).run(stopped: stopped.check)
    if json { return try Terminal.printJSON(result) }
    var table = TextTable("what", "figure")
    table.add("answers", "\(result.frames), \(result.degraded) degraded")
    table.add("frames/s", result.framesPerSecond.formatted(1))
    table.add(
      "latency", "p50 \(result.latency.formatted(2)), p99 \(result.latencyP99.formatted(2)) ms")
    table.add("workers' processor time", "\(result.workerCPU.formatted(2)) ms")
    if let time = result.brokerCPU { table.add("broker's", "\(time.formatted(2)) ms") }
    table.add("client's", "\(result.clientCPU.formatted(2)) ms")
    try Terminal.print(table.text)
  }
  /// The broker that is there already, if one is named.
  private func site() throws(MartletError) -> Fleet.Site? {
    guard let broker else { return nil }
    var access = access
    if access.deployment == nil {
      access.deployment = "bench-" + String(UInt64.random(in: 0..<(1 << 40)), radix: 36)
    }
    let (shared, users) = (access, users)
    return Fleet.Site(address: try access.address(broker: broker)) { device in
      var own = shared
      if let users {
        own.username = device
        own.passwordFile = users + "/" + device
      }
      return own.arguments(broker: broker)
    }
  }
}
