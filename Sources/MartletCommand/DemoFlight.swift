import Glibc
import Imaging
import JSONCoding
import Kernels
import Logging
import MQTT
import ONNXImport
import Partitioning
import Plan
import Processes
import Runtime
import TensorCore
import TensorFiles

/// One run of the demo: its broker, its worker processes and its client.
final class DemoFlight {
  private let options: Demo
  private let folder: String
  private let broker: EmbeddedBroker
  private let stopped: StopFlag
  private let plan: PlanFolder
  private let images: [String]
  private let set: ImageSet
  private let client: InferenceClient
  private let metrics: MetricCollector
  private var workers: [String: ChildProcess] = [:]
  private var statistics: DemoStatistics
  private var progress = DemoProgress()
  private let clock = ContinuousClock()

  init(
    _ options: Demo, folder: String, broker: EmbeddedBroker, stopped: StopFlag
  ) throws {
    self.options = options
    self.folder = folder
    self.broker = broker
    self.stopped = stopped
    let modelPath: String
    (modelPath, images) = try DemoFlight.assets(options, folder: folder)
    set = try ImageSet.open(paths: images)
    plan = try DemoFlight.plan(options, modelPath: modelPath, folder: folder)
    guard plan.plan.model.preprocessing != nil else {
      throw MartletError(.unsupported, "the demo needs a model that takes images")
    }
    var logger = Logger(label: "martlet.demo") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .error
    let address = DeploymentAddress(
      broker: MQTTConfiguration(
        address: try BrokerAddress(parsing: broker.socketAddress), clientIDPrefix: "demo"))
    var configuration = ClientConfiguration(address: address)
    configuration.deadline = options.deadline.duration
    client = try InferenceClient(
      engines: try DeviceEngines(folder: plan, device: nil), planID: plan.id,
      configuration: configuration, logger: logger)
    metrics = try MetricCollector(address: address, logger: logger)
    statistics = DemoStatistics(
      devices: plan.plan.devices.map(\.name), expected: options.frames)
  }

  /// The user's plan, or one of the model.
  private static func plan(
    _ options: Demo, modelPath: String, folder: String
  ) throws(MartletError) -> PlanFolder {
    if let path = options.plan {
      let plan = try PlanFolder(reading: path)
      guard (2...16).contains(plan.plan.devices.count) else {
        throw MartletError(
          .invalidArgument, "the demo flies with 2 to 16 devices",
          context: ["plan": path, "devices": "\(plan.plan.devices.count)"])
      }
      return plan
    }
    return try PlanCommand.make(
      graph: try ONNXImporter.load(path: modelPath), modelPath: modelPath,
      card: try ModelCard.load(model: modelPath, preprocessing: nil, labels: nil),
      devices: (0..<(options.devices ?? 4)).map { Plan.Device(name: "d\($0)") },
      method: options.method ?? .interleaved, output: folder + "/plan")
  }

  /// The model and the images: the user's, or the bundled ones written to the demo's folder.
  private static func assets(
    _ options: Demo, folder: String
  ) throws(MartletError) -> (model: String, images: [String]) {
    if let model = options.model { return (model, options.images) }
    let model = folder + "/demo.onnx"
    try FileSystem.write(Array(DemoAssets.model), to: model)
    try FileSystem.write(Array(DemoAssets.about), to: folder + "/demo.json")
    guard options.images.isEmpty else { return (model, options.images) }
    let digits = folder + "/digits.tar"
    try FileSystem.write(Array(DemoAssets.digits), to: digits)
    return (model, [digits])
  }

  /// Streams all frames, killing and restarting one worker on the way.
  ///
  /// - Throws: when the workers do not get ready, a frame stays unanswered, or the user stops.
  func fly() throws -> DemoReport {
    let stop = client.stopper
    stopped.listen { stop() }
    say(
      "broker \(broker.networkAddress) and \(broker.socketAddress); "
        + "plan \(plan.id), method \(plan.plan.method), \(plan.plan.devices.count) devices")
    for device in plan.plan.devices { try launch(device.name) }
    client.onChange = { [progress] change in progress.note(change) }
    try client.connect()
    guard try client.waitForDevices(timeout: .seconds(30)) else {
      throw MartletError(
        .timedOut, "the workers did not get ready",
        context: ["log": logTail(plan.plan.devices[0].name)])
    }
    try stream()
    let report = try finish()
    return report
  }

  private var victim: String { plan.plan.devices[plan.plan.devices.count / 2].name }

  private func stream() throws {
    guard let preprocessing = plan.plan.model.preprocessing else { return }
    let labels = plan.plan.model.labels
    let (killAt, restartAt) = (options.frames / 3, options.frames / 2)
    let returnBy = options.frames * 3 / 4
    var stream = FrameStream(count: options.frames, inFlight: options.inFlight)
    try stream.run(client: client) { index in
      try stopped.check()
      if index == killAt {
        workers[victim]?.signal(SIGKILL)
        say("frame \(index): killed the worker of \(victim) with SIGKILL")
        statistics.begin(.oneLost)
      }
      if index == restartAt {
        try launch(victim)
        say("frame \(index): started the worker of \(victim) again")
      }
      if index == returnBy, client.devices.contains(where: { !$0.isAlive }) {
        _ = try client.waitForDevices(timeout: .seconds(20))
      }
      if index > restartAt, client.devices.allSatisfy(\.isAlive) {
        statistics.begin(.rejoined)
      }
      statistics.submitted(index)
      return try preprocessing.apply(try set.load(index % set.count))
    } label: { index in
      set.label(index % set.count)
    } answered: { [self] index, answer in
      let result = Classification(scores: answer.outputs.first?.floats ?? [], names: labels)
      statistics.add(index, answer, label: set.label(index % set.count), result: result)
      progress.show(statistics, devices: client.devices)
    }
    progress.end()
  }

  /// Stops the workers, whose last metrics come with their goodbye, and adds everything up.
  private func finish() throws -> DemoReport {
    if !options.keep {
      for worker in workers.values { worker.signal(SIGTERM) }
      for worker in workers.values { _ = worker.wait(timeout: .seconds(5)) }
    }
    // Metrics come once a second; with --keep the workers go on and their last second counts too.
    let end = clock.now + .milliseconds(options.keep ? 1200 : 300)
    while clock.now < end { usleep(20_000) }
    let kept = try options.keep ? describeKept() : nil
    return statistics.report(plan: plan, metrics: metrics.snapshot, kept: kept)
  }

  private func describeKept() throws(MartletError) -> DemoReport.Kept {
    DemoReport.Kept(
      socket: broker.socketAddress, port: Int(broker.port), plan: plan.path, images: images,
      program: try System.executablePath())
  }

  /// Leaves everything running until the user stops it.
  func hover() throws {
    say("broker and workers stay until Ctrl-C")
    while stopped.signal == nil { usleep(50_000) }
  }

  /// Ends every process; may be called at any time.
  func land() {
    client.close()
    metrics.close()
    for worker in workers.values { worker.signal(SIGTERM) }
    for worker in workers.values where worker.wait(timeout: .seconds(3)) == nil {
      worker.signal(SIGKILL)
      _ = worker.wait(timeout: .seconds(3))
    }
    workers = [:]
  }

  private func launch(_ device: String) throws(MartletError) {
    let log = logPath(device)
    workers[device] = try ChildProcess(
      .init(
        executable: try System.executablePath(),
        arguments: [
          "worker", "--broker", broker.socketAddress, "--plan", plan.path, "--device", device,
          "--deadline", options.deadline.description, "--log-level", "warning",
        ], standardOutput: .discarded, standardError: .appended(log)))
  }

  private func logPath(_ device: String) -> String { folder + "/" + device + ".log" }

  private func logTail(_ device: String) -> String {
    let text = (try? FileSystem.readText(logPath(device))) ?? ""
    return String(text.suffix(300))
  }

  private func say(_ text: String) { progress.say(text) }
}
