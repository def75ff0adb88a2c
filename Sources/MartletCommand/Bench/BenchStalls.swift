import ArgumentParser
import Foundations

/// `martlet bench stalls`: what it costs when workers stand still for a moment, again and again.
struct BenchStalls: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stalls",
    abstract: "Stops and continues workers at random, and checks every answer and its latency.",
    discussion: """
      Starts a broker and worker processes of its own on this machine and streams frames, first
      undisturbed, then while each worker is stopped (SIGSTOP) and continued (SIGCONT) at random, by
      a seeded schedule: as on a machine with bursts of other work. An answer is wrong if its class is
      another than undisturbed. Unexplained is what is left of a latency without the time in which
      some worker stood still. Ends with status 1 if an answer is wrong.

      Examples:
        martlet bench stalls
        martlet bench stalls --plan coded --seed 7 --frames 2000 --json
        martlet bench stalls --deadline adaptive --in-flight 4
      """)

  @OptionGroup var fleet: FleetOptions
  @OptionGroup var waiting: DeadlineOptions
  @OptionGroup var copies: ReplicaOptions

  @Option(help: "Frames at each number in flight, at least.")
  var frames = 500

  @Option(help: "Numbers of frames in flight, separated by commas.")
  var inFlight = "1,4,8"

  @Option(help: "The shortest stall.")
  var shortest = TimeArgument(.milliseconds(50), "50ms")

  @Option(help: "The longest stall.")
  var longest = TimeArgument(.milliseconds(300), "300ms")

  @Option(help: "The longest pause between two stalls of one worker; the shortest is a quarter.")
  var pause = TimeArgument(.seconds(2), "2s")

  @Option(help: "Go on for so long at each number in flight, whatever --frames says.")
  var atLeast = TimeArgument(.seconds(10), "10s")

  @Option(help: "Decides who stands still when; drawn and printed unless given.")
  var seed: UInt64?

  @Flag(help: "Print one JSON object on standard output.")
  var json = false

  func validate() throws {
    guard frames >= 10 else { throw ValidationError("--frames must be at least 10") }
    guard !numbersInFlight.isEmpty, !numbersInFlight.contains(0) else {
      throw ValidationError("--in-flight takes numbers from 1 to 64, separated by commas")
    }
    guard shortest.duration <= longest.duration, pause.duration >= .milliseconds(4) else {
      throw ValidationError(
        "--shortest must not be longer than --longest, nor --pause shorter than 4ms")
    }
  }

  /// Zero stands for what is none.
  var numbersInFlight: [Int] {
    inFlight.split(separator: ",").map { text in
      guard let number = Int(text), (1...64).contains(number) else { return 0 }
      return number
    }
  }

  func run() throws {
    let report = try fleet.measure(frames: frames) { fleet, inputs, stopped in
      let benchmark = StallBenchmark(
        self, seed: seed ?? UInt64.random(in: 0..<1_000_000), fleet: fleet, inputs: inputs,
        stopped: stopped)
      let report = try benchmark.run()
      Terminal.endProgress()
      if json { try Terminal.printJSON(report) } else { try Terminal.print(report.text) }
      return report
    }
    if report.rows.contains(where: { $0.wrong > 0 }) { throw ExitCode.failure }
  }
}
