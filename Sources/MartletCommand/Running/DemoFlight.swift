import Foundations
import Glibc
import Imaging
import LocalFleet
import Plan
import Processes
import Runtime

/// One run of the demo: its broker, its worker processes and its client.
final class DemoFlight {
  private let options: Demo
  private let stopped: StopFlag
  private let fleet: Fleet
  private let broker: EmbeddedBroker
  private let images: [String]
  private let set: ImageSet
  /// The images of the set that can be read, as many as there are frames.
  private let shown: [Int]
  let unreadable = UnreadableImages()
  private let client: InferenceClient
  private let metrics: MetricCollector
  private var statistics: DemoStatistics
  private var progress = DemoProgress()
  private let clock = ContinuousClock()

  init(
    _ options: Demo, fleet: Fleet, broker: EmbeddedBroker, stopped: StopFlag
  ) throws {
    self.options = options
    self.stopped = stopped
    self.fleet = fleet
    self.broker = broker
    fleet.workerOptions += ["--deadline", options.waiting.deadline.description]
    images = try options.fleet.makeImages(in: fleet.folder)
    set = try ImageSet.open(paths: images, labelling: try fleet.plan.plan.labelling())
    guard let preprocessing = fleet.plan.plan.model.preprocessing else {
      throw MartletError(.unsupported, "the demo needs a model that takes images")
    }
    shown = (0..<min(set.count, options.frames)).filter { [set, unreadable] index in
      unreadable.reading(set.name(index)) { () throws(MartletError) in
        try preprocessing.apply(try set.load(index))
      } != nil
    }
    guard !shown.isEmpty else {
      throw MartletError(.invalidFile, "none of the images can be read")
    }
    client = try fleet.localClient {
      $0.deadline = options.waiting.deadline.policy
      $0.replicas = options.copies.replicas
    }
    metrics = try MetricCollector(address: fleet.site.address, logger: Fleet.logger)
    statistics = DemoStatistics(devices: fleet.names, expected: options.frames)
  }

  private var plan: PlanFolder { fleet.plan }

  /// Streams all frames, killing and restarting one worker on the way.
  ///
  /// - Throws: when the workers do not get ready, a frame stays unanswered, or the user stops.
  func fly() throws -> DemoReport {
    let stop = client.stopper
    stopped.listen { stop() }
    say(
      "broker \(broker.networkAddress) and \(broker.socketAddress); "
        + "plan \(plan.id), method \(plan.plan.method), \(plan.plan.devices.count) devices")
    try fleet.startAll()
    client.onChange = { [progress] change in progress.note(change) }
    try client.connect()
    try fleet.waitUntilReady(client)
    try stream()
    let report = try finish()
    return report
  }

  private func stream() throws {
    guard let preprocessing = plan.plan.model.preprocessing else { return }
    let (killAt, restartAt) = (options.frames / 3, options.frames / 2)
    let returnBy = options.frames * 3 / 4
    var stream = FrameStream(count: options.frames, inFlight: options.inFlight)
    try stream.run(client: client) { index in
      try stopped.check()
      if index == killAt {
        fleet.kill(fleet.victim)
        say("frame \(index): killed the worker of \(fleet.victim) with SIGKILL")
        statistics.begin(.oneLost)
      }
      if index == restartAt {
        try fleet.start(fleet.victim)
        say("frame \(index): started the worker of \(fleet.victim) again")
      }
      if index == returnBy, client.devices.contains(where: { !$0.isAlive }) {
        _ = try client.waitForDevices(timeout: .seconds(20))
      }
      if index > restartAt, client.devices.allSatisfy(\.isAlive) {
        statistics.begin(.rejoined)
      }
      statistics.submitted(index)
      return try preprocessing.input(try set.load(shown[index % shown.count]))
    } origin: { index in
      let image = shown[index % shown.count]
      return FrameOrigin(image: set.name(image), truth: set.label(image))
    } answered: { [self] index, answer in
      statistics.add(
        index, answer, truth: set.label(shown[index % shown.count]),
        prediction: Prediction(answer, of: plan.plan))
      progress.show(statistics, devices: client.devices)
    }
    progress.end()
  }

  /// Stops the workers, whose last metrics come with their goodbye, and adds everything up.
  private func finish() throws -> DemoReport {
    if !options.keep { fleet.stop() }
    // Metrics come once a second; with --keep the workers go on and their last second counts too.
    let end = clock.now + .milliseconds(options.keep ? 1200 : 300)
    while clock.now < end { usleep(20_000) }
    let kept = try options.keep ? describeKept() : nil
    return statistics.report(plan: plan, metrics: metrics.snapshot, kept: kept)
  }

  private func describeKept() throws(MartletError) -> DemoReport.Kept {
    DemoReport.Kept(
      socket: broker.socketAddress, port: Int(broker.port), plan: plan.path, images: images,
      program: try OwnProgram().words([]).joined(separator: " "))
  }

  /// Leaves everything running until the user stops it.
  func hover() throws {
    say("broker and workers stay until Ctrl-C")
    while stopped.signal == nil { usleep(50_000) }
  }

  /// Leaves the deployment; may be called at any time.
  func land() {
    client.close()
    metrics.close()
  }

  private func say(_ text: String) { progress.say(text) }
}
