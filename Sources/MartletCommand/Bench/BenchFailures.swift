import ArgumentParser
import Foundations

/// `martlet bench failures`: what it costs when a device dies, stalls or returns.
struct BenchFailures: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "failures",
    abstract:
      "Measures what the loss, the stall and the return of a worker cost, and the frame rate.",
    discussion: """
      Starts a broker and worker processes of its own on this machine and streams frames. The middle
      worker is killed (SIGKILL), frozen (SIGSTOP) and started again. Latency runs from sending a frame
      to its answer; a frozen worker is frozen with a frame under way, so that the others learn of it
      by waiting.

      Examples:
        martlet bench failures
        martlet bench failures --model alexnet.onnx --frames 60 --json
        martlet bench failures --plan plan --images photos/ --replicas active
      """)

  @OptionGroup var fleet: FleetOptions
  @OptionGroup var waiting: DeadlineOptions
  @OptionGroup var copies: ReplicaOptions

  @Option(help: "Frames in each measurement.")
  var frames = 300

  @Option(help: "How often the worker dies, and how often it is frozen for a moment.")
  var rounds = 5

  @Option(help: "For how long the worker is frozen in the measurement at full rate.")
  var stall = TimeArgument(.seconds(10), "10s")

  @Flag(help: "Print one JSON object on standard output.")
  var json = false

  func validate() throws {
    guard frames >= 10 else { throw ValidationError("--frames must be at least 10") }
    guard (1...100).contains(rounds) else { throw ValidationError("--rounds must be 1 to 100") }
  }

  func run() throws {
    try fleet.measure(frames: frames) { fleet, inputs, stopped in
      let benchmark = try FailureBenchmark(self, fleet: fleet, inputs: inputs, stopped: stopped)
      defer { benchmark.close() }
      let report = try benchmark.run()
      Terminal.endProgress()
      if json { try Terminal.printJSON(report) } else { try Terminal.print(report.text) }
    }
  }
}
