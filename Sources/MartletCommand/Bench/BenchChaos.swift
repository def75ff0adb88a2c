import ArgumentParser
import Chaos
import Foundations
import Imaging
import JSONCoding
import ModelCards
import Plan
import Planning
import Processes
import Tables
import TensorFiles
import Tensors

/// `martlet bench chaos`: see `tools/chaos`.
struct BenchChaos: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chaos",
    abstract: "Breaks workers, network and broker by a seeded schedule and checks every answer.",
    discussion: """
      Starts a broker, worker processes and clients at full rate on this machine. Waves of faults
      follow each other: SIGKILL, SIGSTOP, SIGTERM, cut connections, broker crashes, a slow
      subscriber, garbage, parts of forged epochs, duplicate devices, clock steps. Checked are: every frame answered exactly
      once or refused with a status; every answer, bit for bit, against the same frame computed in
      this process with the same parts missing at the same devices; no worker ends by itself, leaks
      memory or descriptors; five seconds after each wave all devices are back; nobody waits for a
      device known to be down. Ends with status 1 if a check fails.

      Examples:
        martlet bench chaos --seed 7 --minutes 3
        martlet bench chaos --minutes 30 --devices 8 --method coded --json chaos.json
        martlet bench chaos --faults kill,pause,cut
      """)

  @Option(help: "Decides what happens when; drawn and printed unless given.")
  var seed: UInt64?

  @Option(help: "How long faults are applied.")
  var minutes = 3.0

  @Option(help: "How many worker processes, 4 to 8; drawn from the seed unless given.")
  var devices: Int?

  @Option(help: "How neurons are spread.")
  var method = LoneMethodName(PlanningMethods.usual)

  @Option(help: "A plan folder of a model that takes images, instead.", completion: .directory)
  var plan: String?

  @Option(help: "Clients at full rate.")
  var clients = 2

  @Option(help: "Frames that each keeps under way.")
  var inFlight = 4

  @Option(help: "Kinds of faults, separated by commas; all unless given.")
  var faults: String?

  @OptionGroup var overwrite: OverwriteOptions

  @Option(help: "Where to write the figures as JSON.", completion: .file())
  var json: String?

  @Option(
    name: .customLong("worker-options"), help: "Further options of martlet worker, in one word.")
  var workerOptions = ""

  func validate() throws {
    guard minutes > 0, minutes <= 10_000 else {
      throw ValidationError("--minutes must be above 0")
    }
    guard devices.map((4...8).contains) ?? true else {
      throw ValidationError("--devices must be 4 to 8")
    }
    guard (1...16).contains(clients), (1...64).contains(inFlight) else {
      throw ValidationError("--clients must be 1 to 16, --in-flight 1 to 64")
    }
    guard plan == nil || devices == nil else {
      throw ValidationError("--plan decides the devices: leave --devices out")
    }
    _ = try kinds()
  }

  private func kinds() throws -> [Fault.Kind] {
    guard let faults else { return Fault.Kind.allCases }
    return try faults.split(separator: ",").map { name in
      guard let kind = Fault.Kind(rawValue: String(name)) else {
        let names = Fault.Kind.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("--faults knows \(names); not \(name)")
      }
      return kind
    }
  }

  func run() throws {
    try OutputFiles.check([json], overwrite)
    let stopped = StopFlag()
    let signals = try TerminationSignals { stopped.set(signal: $0) }
    defer { signals.stop() }
    let report = try TemporaryFolder.with(prefix: "martlet-chaos") { folder in
      let seed = seed ?? .random(in: 1...999_999)
      let plan = try planFolder(in: folder, seed: seed)
      var configuration = ChaosConfiguration(
        seed: seed, length: .milliseconds(Int(minutes * 60_000)), plan: plan,
        inputs: try inputs(for: plan, in: folder))
      configuration.kinds = try kinds()
      configuration.clients = clients
      configuration.inFlight = inFlight
      configuration.workerOptions = workerOptions.split(separator: " ").map(String.init)
      return try ChaosRun.run(configuration, stopped: stopped.check, say: Terminal.printLine)
    }
    try Terminal.print(report.text)
    if let json { try FileSystem.write(Array(try JSON.encodeString(report).utf8), to: json) }
    if !report.failures.isEmpty { throw ExitCode.failure }
  }

  private func planFolder(in folder: String, seed: UInt64) throws -> PlanFolder {
    if let plan { return try PlanFolder(reading: plan) }
    let model = folder + "/demo.onnx"
    try FileSystem.write(Array(DemoAssets.model), to: model)
    try FileSystem.write(Array(DemoAssets.about), to: folder + "/demo.json")
    var random = SeededGenerator(seed: seed)
    let devices = self.devices ?? Int.random(in: 4...8, using: &random)
    let (output, own) = (folder + "/plan", try OwnProgram())
    _ = try ChildProcess.output(
      of: .init(
        executable: own.path,
        arguments: own.leading + [
          "plan", model, "--devices", "\(devices)", "--method", method.method.name, "-o", output,
        ]), timeout: .seconds(120))
    return try PlanFolder(reading: output)
  }

  /// Sixty-four of the bundled digits: many enough to be different, few enough that the answers to be
  /// compared with are soon known.
  private func inputs(for plan: PlanFolder, in folder: String) throws -> [Tensor] {
    let digits = folder + "/digits.tar"
    try FileSystem.write(Array(DemoAssets.digits), to: digits)
    guard let preprocessing = plan.plan.model.preprocessing else {
      throw MartletError(.unsupported, "chaos needs a plan of a model that takes images")
    }
    let set = try ImageSet.open(paths: [digits], labelling: .none)
    return try (0..<64).map { try preprocessing.apply(try set.load($0)) }
  }
}

extension ChaosReport {
  /// A table for people.
  var text: String {
    var table = TextTable("what", "figure")
    table.add("seed", "\(seed)")
    table.add("minutes", minutes.formatted(1))
    table.add("devices", "\(devices), \(method)")
    table.add("clients", "\(clients), \(inFlight) frames under way each")
    let kinds = faults.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
    table.add("faults", "\(faults.values.reduce(0, +)) in \(waves) waves")
    table.add("", kinds.joined(separator: ", "))
    table.add("frames", "\(frames)")
    table.add("answers", "\(answers), \(framesPerSecond.formatted(1)) a second")
    table.add("refused", "\(refused.values.reduce(0, +))")
    table.add("sent again", "\(repeated)")
    let share = answers > 0 ? Double(degraded) / Double(answers) * 100 : 0
    table.add("degraded", "\(degraded), \(share.formatted(1)) %")
    table.add("devices disagreed", "\(disagreements)")
    table.add("compared", "\(compared), \(computed) computed, \(different) different")
    table.add(
      "latency, whole",
      "p50 \(wholeLatencyP50.formatted(1)), p99 \(wholeLatencyP99.formatted(1)) ms")
    table.add(
      "latency, others",
      "p50 \(otherLatencyP50.formatted(1)), p99 \(otherLatencyP99.formatted(1)) ms")
    table.add("longest gap", "\(longestGap.formatted(0)) ms")
    table.add(
      "all back after",
      "median \(returnMedian.formatted(0)), longest \(returnLongest.formatted(0)) ms")
    table.add("worker processes", "\(workerStarts), at most \(peakResidentBytes.asBytes)")
    if let growthBytes { table.add("growth", "\(growthBytes >> 10) KiB") }
    table.add("garbage", "\(garbageMessages) messages")
    table.add("checks failed", "\(failures.count)")
    return ([table.text] + failures.map { "FAILED: \($0)" }).joined(separator: "\n")
  }
}
