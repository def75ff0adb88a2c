import ArgumentParser
import Charts
import Foundations
import TensorFiles

/// `martlet bench deadline`: figure 3 of the RobustDiCE paper.
struct BenchDeadline: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "deadline",
    abstract: "Measures latency and accuracy against the timeout while one device is silent.",
    discussion: """
      Reproduces figure 3 of the RobustDiCE paper (Guo et al., Integration 2024) on worker processes on
      this machine. The middle worker stays present and beats its heart, but sends no part, and with
      --deadline every:T nobody suspects it: so every exchange of every frame waits for the whole
      timeout T, as before a failure is known. The dashed line is the latency with all devices sending
      and no timeout. The last row is the same failure under --deadline adaptive, which waits once and
      then no more. Frames are sent one after the other; latency is their mean.

      Examples:
        martlet bench deadline
        martlet bench deadline --frames 1000 --svg deadline.svg --json
        martlet bench deadline --plan plan --images photos/ --timeouts 1ms,10ms,30ms
      """)

  @OptionGroup var fleet: FleetOptions

  @Option(help: "Frames at each timeout.")
  var frames = 200

  @Option(help: "Timeouts, separated by commas.")
  var timeouts = "10us,30us,100us,300us,500us,1ms,3ms,10ms,30ms"

  @OptionGroup var overwrite: OverwriteOptions

  @Flag(help: "Print one JSON object on standard output.")
  var json = false

  @Option(help: "Where to draw the figure.", completion: .file())
  var svg: String?

  func validate() throws {
    guard frames >= 10 else { throw ValidationError("--frames must be at least 10") }
    guard !parsedTimeouts.isEmpty, !parsedTimeouts.contains(where: { $0 == nil }) else {
      throw ValidationError("--timeouts takes times such as 500us,30ms, separated by commas")
    }
  }

  private var parsedTimeouts: [TimeArgument?] {
    timeouts.split(separator: ",").map { TimeArgument(argument: String($0)) }
  }

  func run() throws {
    try OutputFiles.check([svg], overwrite)
    try fleet.measure(frames: frames) { fleet, inputs, stopped in
      let benchmark = DeadlineBenchmark(
        fleet: fleet, inputs: inputs, frames: frames, stopped: stopped)
      let report = try benchmark.run(parsedTimeouts.compactMap { $0 })
      Terminal.endProgress()
      if let svg { try FileSystem.write(Array(report.chart.svg.utf8), to: svg) }
      if json { try Terminal.printJSON(report) } else { try Terminal.print(report.text) }
    }
  }
}
