import ArgumentParser
import Engine
import Foundations
import Logging
import ModelCards
import Plan
import Processes
import Resilience
import Runtime
import Tables
import WireProtocol

/// `martlet run`: a client that sends images to a deployment.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Sends images to a running deployment and prints the answers.",
    discussion: """
      Prints one line an image and a summary; every answer says what was missing from it, and how
      reliable it is without that: the study that martlet study leaves beside the plan knows.
      Ends with status 0 only if every image was answered; with 1 if an answer was refused
      (--min-expected).

      \(LabellingHelp.text)

      \(UnreadableImages.help)

      Images become inputs as the plan says (martlet plan --preprocessing); how, stands on standard
      error, with --json in the summary.

      With --json each line has the form of result/<client> and of a gateway's answers, described at
      martlet infer --help; the summary is the last line.

      Examples:
        martlet run --broker broker.local --plan plan --images photos/
        martlet run --broker unix:/run/mosquitto.sock --plan plan --images digits.tar --json
        martlet run --broker broker.local --plan fog --samples test-inputs.npy \
          --sample-labels test-labels.npy
        martlet run --in-process --without e1,f2 --plan fog --samples test-inputs.npy --json
      """)

  @Option(help: BrokerOptions.help)
  var broker: String?

  @OptionGroup var access: BrokerAccessOptions
  @OptionGroup var wire: WireOptions
  @OptionGroup var log: LogOptions

  @Flag(help: WireOptions.deflateHelp)
  var deflateFrames = false

  @Flag(
    help: """
      Instead of a broker: all devices of the plan in this process. Answers are those of a deployment, \
      bit for bit, and say what was missing from them.
      """)
  var inProcess = false

  @Option(help: "With --in-process: devices that are missing, by commas.")
  var without: String?

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

  @Option(help: FlightArgument.help)
  var inFlight: FlightArgument?

  @OptionGroup var waiting: DeadlineOptions
  @OptionGroup var copies: ReplicaOptions
  @OptionGroup var demands: AnswerOptions

  @Option(help: "How long to try, with no device or no broker there, or nothing that moves.")
  var patience = TimeArgument(.seconds(30), "30s")

  @Option(help: "Wait at the start until this many devices are ready (default: all).")
  var waitFor: Int?

  @Flag(help: "Print one JSON object an image, and one for the summary last.")
  var json = false

  func validate() throws {
    guard inProcess == (broker == nil) else {
      throw ValidationError("give either --broker or --in-process")
    }
    guard inProcess || without == nil else {
      throw ValidationError("--without goes with --in-process")
    }
    guard !inProcess || !demands.retry else {
      throw ValidationError("--retry goes with --broker: in one process nobody comes back")
    }
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
    let names = folder.plan.devices.map(\.name)
    let note = samples == nil ? PreprocessingNote(of: folder) : nil
    let count = min(frames ?? inputs.count, inputs.count)
    var statistics = RunStatistics(devices: names)
    let unreadable = UnreadableImages()
    var isNoted = json
    func load(_ index: Int) -> FrameInput? {
      if !isNoted, let note { Terminal.printLine("martlet: " + note.text) }
      isNoted = true
      return unreadable.reading(inputs.name(index)) { () throws(MartletError) in
        try inputs.input(index)
      }
    }
    func take(_ index: Int, _ answer: Answer) throws {
      let prediction = Prediction(answer, of: folder.plan)
      statistics.add(answer, truth: inputs.label(index), prediction: prediction)
      try show(inputs.name(index), answer, prediction)
    }
    let seconds =
      if let broker {
        try send(count, of: inputs, load, to: broker, folder, logger, answered: take)
      } else {
        try compute(count, of: inputs, load, folder, answered: take)
      }
    var summary = statistics.summary(seconds: seconds)
    summary.unreadableImages = unreadable.count
    summary.preprocessing = note
    if json { try Terminal.printJSON(summary) } else { try Terminal.print(summary.text) }
    try unreadable.finish()
    if summary.refused > 0 { throw ExitCode(1) }
  }

  /// Sends the first inputs to a deployment.
  ///
  /// - Returns: how many seconds it took.
  private func send(
    _ count: Int, of inputs: RunInputs, _ load: (Int) -> FrameInput?, to broker: String,
    _ folder: PlanFolder, _ logger: Logger, answered: (Int, Answer) throws -> Void
  ) throws -> Double {
    var configuration = ClientConfiguration(address: try access.address(broker: broker))
    configuration.wire = wire.settings
    configuration.deflatesFrames = deflateFrames
    configuration.deadline = waiting.deadline.policy
    configuration.replicas = copies.replicas
    configuration.study = try FailureTable.read(beside: folder)
    configuration.policy = try demands.policy(study: configuration.study)
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
    let isComplete = try client.waitForDevices(waitFor, timeout: patience.duration) {
      Terminal.printLine("martlet: waiting for \($0)")
    }
    if !isComplete {
      let states = client.devices.map { "\($0.device) \($0.state)" }.joined(separator: ", ")
      guard client.devices.contains(where: \.isAlive) else { throw client.nobodyIsThere }
      Terminal.printLine("martlet: going on without some devices: \(states)")
    }
    let flight = inFlight ?? FlightArgument(for: folder.plan)
    var stream = FrameStream(count: count, inFlight: flight.frames)
    try stream.run(
      client: client, load: load,
      origin: { FrameOrigin(image: inputs.name($0), truth: inputs.label($0)) },
      answered: answered)
    return stream.seconds
  }

  /// Computes what a deployment would answer to the first inputs.
  ///
  /// - Returns: how many seconds it took.
  private func compute(
    _ count: Int, of inputs: RunInputs, _ load: (Int) -> FrameInput?, _ folder: PlanFolder,
    answered: (Int, Answer) throws -> Void
  ) throws -> Double {
    let names = folder.plan.devices.map(\.name)
    let missing = (without ?? "").split(separator: ",").map(String.init)
    if let stranger = missing.first(where: { !names.contains($0) }) {
      throw MartletError(
        .notFound, "the plan has no such device",
        context: ["device": stranger, "devices": names.joined(separator: " ")])
    }
    let cluster = LocalCluster(
      devices: try names.indices.map { device throws(MartletError) in
        try DeviceEngines(folder: folder, device: device)
      }, client: try DeviceEngines(folder: folder, device: nil), wire: wire.settings.elementType)
    let study = try FailureTable.read(beside: folder)
    let policy = try demands.policy(study: study)
    let stopped = StopFlag()
    let signals = try TerminationSignals { stopped.set(signal: $0) }
    defer { signals.stop() }
    let clock = ContinuousClock()
    let start = clock.now
    for index in 0..<count {
      try stopped.check()
      guard let input = load(index) else { continue }
      var answer = try cluster.answer(
        input.received(as: wire.inputType), ticket: index,
        alive: names.map { !missing.contains($0) },
        replicas: copies.replicas, study: study, guessSeed: guessSeed, now: MonotonicTime.now)
      answer.refusal = policy.refusal(of: answer)
      let origin = FrameOrigin(
        requestID: "run-\(index + 1)", image: inputs.name(index), truth: inputs.label(index))
      answer.result = FrameResult(answer, of: folder.plan, origin: origin)
      try answered(index, answer)
    }
    return (clock.now - start).inMilliseconds / 1e3
  }

  private func show(_ image: String, _ answer: Answer, _ prediction: Prediction) throws {
    if json {
      if let result = answer.result { try Terminal.printJSON(result) }
      return
    }
    if let refusal = answer.refusal {
      try Terminal.print("\(image): refused: \(refusal)")
      return
    }
    let guess = answer.guess == nil ? "" : ", a guess: nothing reached the last layer"
    let missing = answer.isDegraded ? ", \(answer.filledNeurons) neurons missing" : ""
    let caution = answer.caution.map { "; \($0)" } ?? ""
    let time = answer.latency.inMilliseconds.formatted(1)
    try Terminal.print("\(image): \(prediction.text()), \(time) ms\(missing)\(guess)\(caution)")
  }
}
