import ArgumentParser
import Benchmarks
import Processes
import TensorFiles

/// `martlet bench`: measurements that need the inside of the program.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures parts of martlet; tools/bench compares them with other programs.",
    discussion: """
      Examples:
        martlet bench device --out d0.json      how fast this device is, for martlet plan --profiles
        martlet bench failures                  what losses, stalls and returns cost
        martlet bench stalls                    what it costs when workers stand still for a moment
        martlet bench deadline --svg fig3.svg   latency and accuracy against the timeout
        martlet bench wire --reference wire     what tools/bench/wire calls
        martlet bench frames --plan plan --tensor input.npy
        martlet bench chaos --minutes 3         what tools/chaos calls
      """,
    subcommands: [
      BenchDevice.self, BenchWire.self, BenchFailures.self, BenchStalls.self, BenchDeadline.self,
      BenchFrames.self, BenchChaos.self,
    ])
}

/// `martlet bench wire`: see `tools/bench/wire`.
struct BenchWire: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wire",
    abstract: "Compares the MQTT client with a bare libmosquitto program.",
    discussion: "tools/bench/wire compiles the reference program and calls this.")

  @Option(help: "The compiled tools/bench/wire.c.", completion: .file())
  var reference: String?

  @Option(
    name: .customLong("once"), parsing: .remaining,
    help: .hidden)
  var once: [String] = []

  @Option(help: "Turns of each program at each point.")
  var rounds = 15

  @Option(help: "The most bytes of one message; 0 sends each tensor in one piece.")
  var chunk = 0

  @Option(help: "Message sizes in bytes, separated by commas.")
  var sizes = "4096,65536,1048576,4194304"

  @Option(help: "Where to write the figures as JSON.", completion: .file())
  var json: String?

  @OptionGroup var overwrite: OverwriteOptions

  func run() throws {
    if !once.isEmpty { return try Terminal.print(try WireComparison.wireOnce(once)) }
    guard let reference else { throw ValidationError("--reference is missing") }
    try OutputFiles.check([json], overwrite)
    let bytes = sizes.split(separator: ",").compactMap { Int($0) }
    guard !bytes.isEmpty, bytes.allSatisfy({ $0 > 0 }), rounds > 0, chunk >= 0 else {
      throw ValidationError("--sizes takes positive numbers separated by commas")
    }
    let comparison = WireComparison(
      referenceProgram: reference,
      clientCommand: try OwnProgram().words(["bench", "wire", "--once"]),
      sizes: bytes, rounds: rounds, chunkBytes: chunk)
    try Terminal.print(WireComparison.heading)
    let rows = try comparison.run { try Terminal.print(WireComparison.line($0)) }
    if let json { try FileSystem.write(Array(WireComparison.json(rows).utf8), to: json) }
  }
}
