import ArgumentParser
import Plan
import Processes
import Resilience
import Runtime
import TensorCore
import WireProtocol

/// `martlet run`: a client that sends images to a deployment.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Sends images to a running deployment and prints the answers.",
    discussion: """
      Prints one line an image and a summary; every answer says what was missing from it.
      Ends with status 0 only if every image was answered.

      Examples:
        martlet run --broker broker.local --plan plan --images photos/
        martlet run --broker unix:/run/mosquitto.sock --plan plan --images digits.tar --json
        martlet run --broker broker.local --plan fog --samples test-inputs.npy \
          --sample-labels test-labels.npy
      """)

  @OptionGroup var broker: BrokerOptions
  @OptionGroup var wire: WireOptions
  @OptionGroup var log: LogOptions

  @Option(help: "The plan's folder.", completion: .directory)
  var plan: String

  @Option(parsing: .upToNextOption, help: "Images, folders or tar archives.", completion: .file())
  var images: [String] = []

  @Option(
    help: "Instead of images: an .npy file of float32 with a sample in each row.",
    completion: .file(extensions: ["npy"]))
  var samples: String?

  @Option(
    help: "The classes of --samples: an .npy file of integers.",
    completion: .file(extensions: ["npy"]))
  var sampleLabels: String?

  @Option(help: "What the guesses are drawn with that stand in for answers that came to nothing.")
  var guessSeed: UInt64 = 0

  @Option(help: "Stop after this many images.")
  var frames: Int?

  @Option(help: "Frames under way at once.")
  var inFlight = 1

  @OptionGroup var waiting: DeadlineOptions
  @OptionGroup var copies: ReplicaOptions

  @Option(help: "How long to try, with no device or no broker there.")
  var patience = TimeArgument(.seconds(30), "30s")

  @Option(help: "Wait at the start until this many devices are ready (default: all).")
  var waitFor: Int?

  @Flag(help: "Print one JSON object an image, and one for the summary last.")
  var json = false

  func validate() throws {
    guard (1...64).contains(inFlight) else { throw ValidationError("--in-flight must be 1 to 64") }
    guard frames ?? 1 > 0 else { throw ValidationError("--frames must be at least 1") }
    guard images.isEmpty != (samples == nil) else {
      throw ValidationError("give either --images or --samples")
    }
    guard sampleLabels == nil || samples != nil else {
      throw ValidationError("--sample-labels goes with --samples")
    }
  }

  func run() throws {
    let logger = try log.logger("martlet.run")
    let folder = try PlanFolder(reading: plan)
    let inputs =
      if let samples {
        try RunInputs(samples: samples, labels: sampleLabels, plan: folder.plan)
      } else {
        try RunInputs(images: images, plan: folder.plan)
      }
    var configuration = ClientConfiguration(address: try broker.address())
    configuration.wire = wire.settings
    configuration.deadline = waiting.deadline.policy
    configuration.replicas = copies.replicas
    configuration.study = try FailureTable.read(beside: folder)
    configuration.patience = patience.duration
    configuration.guessSeed = guessSeed
    let engines = try DeviceEngines(folder: folder, device: nil)
    let client = try InferenceClient(
      engines: engines, planID: folder.id, configuration: configuration, logger: logger)
    defer { client.close() }
    let stop = client.stopper
    let signals = try TerminationSignals { _ in stop() }
    defer { signals.stop() }
    try client.connect()
    if !(try client.waitForDevices(waitFor, timeout: patience.duration)) {
      let states = client.devices.map { "\($0.device) \($0.state)" }.joined(separator: ", ")
      guard client.devices.contains(where: \.isAlive) else {
        throw MartletError(
          .unreachable, "no device is ready", context: ["devices": states],
          hint: "start the workers, with the same plan and --deployment")
      }
      Terminal.printLine("martlet: going on without some devices: \(states)")
    }
    let count = min(frames ?? inputs.count, inputs.count)
    var stream = FrameStream(count: count, inFlight: inFlight)
    var statistics = RunStatistics(devices: folder.plan.devices.map(\.name))
    let labels = folder.plan.model.labels
    try stream.run(client: client) { index in
      try inputs.input(index)
    } label: { index in
      inputs.label(index)
    } answered: { index, answer in
      let result = Classification(answer, names: labels)
      statistics.add(answer, label: inputs.label(index), result: result)
      try show(inputs.name(index), inputs.label(index), answer, result)
    }
    let summary = statistics.summary(seconds: stream.seconds)
    if json { try Terminal.printJSON(summary) } else { print(summary.text) }
  }

  private func show(
    _ image: String, _ label: Int?, _ answer: Answer, _ result: Classification
  ) throws {
    if json {
      try Terminal.printJSON(AnswerReport(image: image, label: label, answer, result))
      return
    }
    let best = result.top.first.map {
      "\($0.name ?? "\($0.label)") \(($0.confidence * 100).formatted(1)) %"
    }
    let guess = answer.guess == nil ? "" : ", a guess: nothing reached the last layer"
    let missing = answer.isDegraded ? ", \(answer.filledNeurons) neurons missing" : ""
    print(
      "\(image): \(best ?? "-"), \(answer.latency.inMilliseconds.formatted(1)) ms\(missing)\(guess)"
    )
  }
}
