import ArgumentParser
import Benchmarks
import Plan
import Processes
import Tables
import TensorCore
import TensorFiles

/// `martlet bench frames`: frames a second and latency of a plan on this machine.
struct BenchFrames: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "frames",
    abstract: "Times frames through a broker, worker processes and a client on this machine.",
    discussion: """
      tools/bench/peers compares the figures with another way of exchanging parts. Processor times are
      those of one frame.

      Examples:
        martlet bench frames --plan plan --tensor input.npy
        martlet bench frames --plan plan --tensor input.npy --in-flight 4 --seconds 30 --json
      """)

  @Option(help: "The plan's folder, with the weights of all devices.", completion: .directory)
  var plan: String

  @Option(help: "Every frame's input, a NumPy file of float32.", completion: .file())
  var tensor: String

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
    guard seconds > 0, seconds < 1e6 else { throw ValidationError("--seconds must be above 0") }
  }

  func run() throws {
    let stopped = StopFlag()
    let signals = try TerminationSignals { stopped.set(signal: $0) }
    defer { signals.stop() }
    let result = try FrameBenchmark(
      plan: try PlanFolder(reading: plan), input: try NumpyFile.read(tensor), inFlight: inFlight,
      length: .milliseconds(Int(seconds * 1000)),
      workerOptions: workerOptions.split(separator: " ").map(String.init)
    ).run(stopped: stopped.check)
    if json { return try Terminal.printJSON(result) }
    var table = TextTable("what", "figure")
    table.add("answers", "\(result.frames), \(result.degraded) degraded")
    table.add("frames/s", result.framesPerSecond.formatted(1))
    table.add(
      "latency", "p50 \(result.latency.formatted(2)), p99 \(result.latencyP99.formatted(2)) ms")
    table.add("workers' processor time", "\(result.workerCPU.formatted(2)) ms")
    table.add("broker's", "\(result.brokerCPU.formatted(2)) ms")
    table.add("client's", "\(result.clientCPU.formatted(2)) ms")
    print(table.text)
  }
}
