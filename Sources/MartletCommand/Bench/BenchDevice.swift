import ArgumentParser
import Benchmarks
import Foundations
import ModelGraph
import Plan
import Processes
import Tables

/// `martlet bench device`: this device's profile.
struct BenchDevice: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "device",
    abstract: "Measures this device: how fast it computes, and what messages take.",
    discussion: """
      Runs kernels of several shapes for a few seconds, and messages through a mosquitto of its own.
      The result is a profile: martlet plan --profiles predicts with it, and martlet worker --profile
      publishes it. Run it on the device itself, with the threads, the quota and the power mode that the
      worker will have.

      Rates are those of a whole core. "share" is the part of one that this process was given.

      Examples:
        martlet bench device
        martlet bench device --out d0.json
      """)

  @Option(help: "Threads that compute.")
  var threads = 1

  @Option(help: "How long each of about forty kernels runs.")
  var length = TimeArgument(.milliseconds(60), "60ms")

  @Flag(help: "Leave messages out; nothing is started then.")
  var noMessages = false

  @Option(name: [.short, .long], help: "Where to write the profile.", completion: .file())
  var out: String?

  @OptionGroup var overwrite: OverwriteOptions

  @Flag(help: "Print one JSON object: the profile, and what each kernel took.")
  var json = false

  func validate() throws {
    guard (1...256).contains(threads) else { throw ValidationError("--threads must be 1 to 256") }
    guard (.milliseconds(1)...(.seconds(60))).contains(length.duration) else {
      throw ValidationError("--length must be 1ms to 60s")
    }
  }

  private struct Report: Encodable {
    var profile: DeviceProfile
    var kernels: [DeviceBenchmark.Check]
  }

  func run() throws {
    try OutputFiles.check([out], overwrite)
    let stopped = StopFlag()
    let signals = try TerminationSignals { stopped.set(signal: $0) }
    defer { signals.stop() }
    let benchmark = DeviceBenchmark(
      length: length.duration, threads: threads, measuresMessages: !noMessages)
    let result = try benchmark.run(progress: { Terminal.progress("kernel \($0) of \($1)") }) {
      () throws(MartletError) in try stopped.check()
    }
    Terminal.endProgress()
    if let trouble = result.messageTrouble {
      Terminal.printLine("martlet: messages were not measured: \(trouble)")
    }
    if let out { try result.profile.write(to: out) }
    if json {
      return try Terminal.printJSON(Report(profile: result.profile, kernels: result.checks))
    }
    try show(result)
  }

  private func show(_ result: DeviceBenchmark.Result) throws(MartletError) {
    let profile = result.profile
    var table = TextTable("kernel", "operations/s", "bytes/s", "largest error of the fit")
    for rate in profile.rates {
      let errors = result.checks.filter { $0.kernel == rate.kernel }.map {
        abs($0.fitted / $0.measured - 1)
      }
      table.add(
        rate.kernel.rawValue, rate.operations.map { Int($0).asCount } ?? "-",
        rate.bytes.map { $0.asBytes } ?? "-",
        ((errors.max() ?? 0) * 100).formatted(0) + " %")
    }
    try Terminal.print(table.text)
    try Terminal.print("")
    var facts = TextTable("what", "figure")
    facts.add("processor", profile.machine.processor)
    facts.add("multiplies with", profile.machine.kernels)
    facts.add("share of a core", (profile.share * 100).formatted(0) + " %")
    facts.add("any kernel", (profile.kernelOverhead * 1e6).formatted(2) + " us")
    if profile.hasMeasuredMessages {
      let messages = profile.messages
      facts.add("a message, sent or received", messages.endpoint.text)
      facts.add("a message in or out of a broker", messages.broker.text)
      facts.add("between sending and receiving", (messages.delay * 1e6).formatted(0) + " us")
    }
    try Terminal.print(facts.text)
  }
}

extension DeviceProfile.Handling {
  /// Such as `12 us and 0.40 ms for each MB`.
  fileprivate var text: String {
    "\((message * 1e6).formatted(0)) us and \((byte * 1e9).formatted(2)) ms for each MB"
  }
}
