import ArgumentParser
import Foundations
import LocalFleet
import Processes

/// `martlet demo`: a broker, workers and a client on this machine; one worker is killed and comes
/// back.
struct Demo: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows a network flying on four worker processes while one is killed and returns.",
    discussion: """
      Starts a broker of its own, splits the bundled network (handwritten digits) over worker
      processes, streams held-out images, kills one worker with SIGKILL a third of the way through,
      starts it again later, and sums up. Ends with status 0 only if every frame was answered.

      Examples:
        martlet demo
        martlet demo --frames 3000 --devices 6 --json
        martlet demo --model model.onnx --images validation/
        martlet demo --plan plan --images validation/     a plan made before, by any method
        martlet demo --keep                     leave broker and workers running to look around
      """)

  @Option(help: "How many frames to stream.")
  var frames = 900

  @OptionGroup var fleet: FleetOptions

  @Option(help: "Frames under way at once.")
  var inFlight = 1

  @OptionGroup var waiting: DeadlineOptions
  @OptionGroup var copies: ReplicaOptions

  @Flag(help: "Print one JSON object last on standard output.")
  var json = false

  @Flag(help: "Leave broker and workers running until Ctrl-C.")
  var keep = false

  func validate() throws {
    guard frames >= 3 else { throw ValidationError("--frames must be at least 3") }
    guard (1...64).contains(inFlight) else { throw ValidationError("--in-flight must be 1 to 64") }
    guard fleet.model == nil || !fleet.images.isEmpty else {
      throw ValidationError("--model needs --images to show it")
    }
  }

  func run() throws {
    let stopped = StopFlag()
    let signals = try TerminationSignals { stopped.set(signal: $0) }
    defer { signals.stop() }
    try withFleet(plan: fleet.makePlan) { fleet, broker in
      let flight = try DemoFlight(self, fleet: fleet, broker: broker, stopped: stopped)
      defer { flight.land() }
      let report = try flight.fly()
      if json {
        try Terminal.printJSON(report)
      } else {
        try Terminal.print(report.text)
      }
      if keep { try flight.hover() }
      try flight.unreadable.finish()
    }
  }
}
