package import Engine
package import Foundations
import Kernels
package import Logging
import MQTT
import ModelGraph
import Plan
import WireProtocol

/// One device of a deployment: connects to the broker, announces itself, and computes its parts of
/// every frame until it is told to stop.
package final class Worker: EpochBound {
  /// The version published with presence.
  package static let version = "0.1.0"

  let core: WorkerCore
  let name: String
  let epoch: UInt64
  let configuration: WorkerConfiguration
  private let root: TopicRoot
  private let mailbox: Mailbox<NetworkEvent>
  private let client: MQTTClient
  let logger: Logger
  let presence: PresencePublisher
  private let heart: Heart
  private let stop = StopRequest()
  private let meter: WorkerMeter
  private let services: WorkerServices
  private let faults: WorkerFaults
  private var parts: PartSender
  private var drain: Drain?
  private var inputs = InputWatch()
  /// The epoch of an ended run of this name that was later than this one's; see `Host`.
  package var overtakenBy: UInt64? { presence.overtakenBy }
  /// When it was last said that this device's own parts are not finite, or others' epochs not right.
  var complaints = Complaints()
  private let identity: PresenceIdentity
  private let watch: LinkWatch
  /// When to tidy up again.
  private var tidying = MonotonicTime.zero
  private var sentFrames = SentFrames()
  private var sentParts = SentParts()
  /// A topic of its own parts, if it sends any.
  private let partTopic: String?

  /// Prepares a worker; nothing is sent before `run`.
  ///
  /// - Parameters:
  ///   - engines: the compiled programs of the device.
  ///   - planID: the id under which parts are exchanged.
  package init(
    engines: DeviceEngines, planID: String, configuration: WorkerConfiguration, logger: Logger
  ) throws(MartletError) {
    let plan = engines.plan
    guard let device = engines.device else {
      throw MartletError(.invalidArgument, "a worker needs the program of a device")
    }
    guard plan.graph.inputs.count == 1 else {
      throw MartletError(
        .unsupported, "only models with one input can run in workers",
        context: ["inputs": "\(plan.graph.inputs.count)"])
    }
    self.configuration = configuration
    self.logger = logger
    name = plan.devices[device].name
    let clock = unixMilliseconds(offsetSeconds: configuration.clockOffsetSeconds)
    epoch =
      if let folder = configuration.stateFolder {
        try EpochFile.next(
          folder: folder, device: name, unixMilliseconds: clock,
          atLeast: configuration.leastEpoch)
      } else {
        max(Epoch.next(saved: nil, unixMilliseconds: clock), configuration.leastEpoch ?? 0)
      }
    root = try TopicRoot(deployment: configuration.address.deployment)
    core = WorkerCore(
      engines: engines, planID: planID, device: device, limits: configuration.limits)
    mailbox = Mailbox(maximumBytes: WaitingMemory.mailbox)
    identity = try PresenceIdentity(
      .worker, name: name, epoch: epoch, heartbeat: configuration.heartbeat, root: root)
    var broker = configuration.address.configuration(clientIDPrefix: name)
    broker.will = try identity.message(identity.presence(.lost))
    let (root, mailbox) = (self.root, self.mailbox)
    let gate = CallGate(
      maximumCount: 1024, maximumBytes: 4 << 20,
      maximumCallBytes: WorkerServices.maximumCallBytes)
    let watch = LinkWatch(name: name, epoch: epoch)
    self.watch = watch
    client = try MQTTClient(
      broker, logger: logger,
      onMessage: { NetworkEvent.post($0, root: root, to: mailbox, calls: gate, watch: watch) },
      onEvent: { mailbox.post(.connection($0)) })
    parts = try PartSender(
      plan: plan, device: device, planID: planID, name: name, epoch: epoch, root: root,
      wire: configuration.wire,
      deadline: configuration.limits.deadline.longest)
    heart = try Heart(
      client: client, topic: identity.heartbeatTopic, epoch: epoch,
      interval: configuration.heartbeat, watch: watch)
    meter = try WorkerMeter(
      engines: engines, planID: planID, name: name, epoch: epoch, root: root,
      configuration: configuration)
    faults = WorkerFaults(outlet: parts.outlet, client: client, heart: heart)
    services = WorkerServices(
      name: name, epoch: epoch, root: root, core: core, client: client, gate: gate,
      faults: faults, configuration: configuration, logger: logger)
    if let sent = plan.exchanges.first(where: { $0.senders.contains(device) }) {
      partTopic = try root.path(.activation(layer: sent.id, device: name))
    } else {
      partTopic = nil
    }
    let description = meter.description(methods: services.methods)
    services.description = description
    let offset = configuration.clockOffsetSeconds
    presence = PresencePublisher(
      identity, description: description, first: .ready, client: client, heart: heart,
      clock: { unixMilliseconds(offsetSeconds: offset) }, logger: logger)
    try subscribe(plan, device: device)
  }

  private func subscribe(_ plan: Plan, device: Int) throws(MartletError) {
    var filters: [(filter: String, quality: MQTTQuality)] = [
      (try root.path(.allPresence), .atLeastOnce),
      (try root.path(.allHeartbeats), .atMostOnce),
      (try root.path(.allInputs), .atMostOnce),
      (try root.path(.inputs(device: name)), .atMostOnce),
      (try root.path(.calls(target: name)), .atLeastOnce),
      (try root.path(.description(device: name)), .atLeastOnce),
    ]
    for exchange in plan.possibleGatherings(device: device).map({ plan.exchanges[$0] }) {
      for sender in exchange.senders where sender != device {
        let topic = Topic.activation(layer: exchange.id, device: plan.devices[sender].name)
        filters.append((try root.path(topic), .atMostOnce))
      }
    }
    try client.subscribe(filters)
  }

  /// Asks the worker to finish what it has and leave. May be called from any thread.
  package var stopper: @Sendable () -> Void {
    let (mailbox, stop) = (mailbox, stop)
    return {
      stop.make()
      mailbox.post(.stop)
    }
  }

  /// Works until stopped.
  ///
  /// - Throws: `permissionDenied` or `invalidArgument` if the broker cannot be used as it is configured
  ///   here; `unreachable` if it is not reached within the patience, should that end; `superseded` if another worker took over this device's name.
  package func run() throws(MartletError) {
    defer {
      heart.stop()
      client.close()
    }
    DeviceDescription.Hardware.logKernels(logger)
    try core.warmUp()
    guard try client.connect(patience: configuration.patience, unless: stop) else { return }
    try checkPermissions()
    var attention = Attention(now: .now(), processor: threadProcessorTime())
    while true {
      watch.takes(bytesPerSecond: client.statistics.bytesPerSecond)
      core.listens(late: watch.lag, lastRead: watch.isBehind ? client.statistics.lastRead : nil)
      var wake = core.work(clock: MonotonicTime.now) { [self] key, exchange, shape, values, fills in
        if configuration.isMute { return }
        parts.send(exchange, shape: shape, values, of: key, fills: fills, through: client)
      }
      let queue = core.queueLength
      let statistics = client.statistics
      let accepted = statistics.bulkAccepted + UInt64(parts.outlet.waiting)
      sentFrames.update(
        core.counters.lastFrame, accepted: accepted, left: statistics.bulkFinished)
      let sent = sentParts.update(
        core.takeSent(), accepted: accepted, left: statistics.bulkFinished)
      heart.update(frame: sentFrames.last, queue: queue, isFull: core.isFull, sent: sent)
      let now = MonotonicTime.now()
      let due = min(services.work(at: now), faults.work(at: now), meter.due, presence.due)
      if watch.isBehind, let moment = statistics.lastRead { drain?.moved(at: moment) }
      if let drain {
        if drain.isOver(queue: queue, now: now) { break }
        wake = wake.map { min($0, drain.wake(queue: queue)) }
      }
      if now >= meter.due { publishMetrics(now: now) }
      if now >= tidying { tidy(now: now) }
      let (events, asleep) = sleep(until: wake.map { min($0, due) } ?? .zero)
      let away = attention.away(
        now: .now(), asleep: asleep, processor: threadProcessorTime())
      if away > .zero { core.wasAway(away) }
      for event in events { try handle(event) }
      report()
    }
    try leave()
  }

  /// Finds out at the start what the broker would be silent about.
  ///
  /// - Throws: `permissionDenied` for what this device cannot do without. That its own parts come back
  ///   is only a hint that others' do, and is only said if they do not.
  private func checkPermissions() throws(MartletError) {
    try client.checkPermissions(identity.topics, reading: true, logger: logger)
    guard let partTopic else { return }
    try client.checkPermissions([partTopic], reading: false, logger: logger)
    var readsParts = true
    do throws(MartletError) {
      try client.checkPermissions([partTopic], reading: true, logger: logger)
    } catch {
      readsParts = false
      logger.error("parts of others may not come either: \(error)", metadata: ["device": "\(name)"])
    }
    try parts.findLimit(through: client, reading: readsParts, logger: logger)
  }

  /// Waits for events.
  ///
  /// - Returns: what has come, and for how long it was right to wait.
  private func sleep(until end: MonotonicTime) -> (events: [NetworkEvent], time: Duration) {
    let start = MonotonicTime.now()
    let events = mailbox.take(until: end)
    return (events, min(MonotonicTime.now(), max(end, start)).duration(since: start))
  }

  private func handle(_ event: NetworkEvent) throws(MartletError) {
    let now = MonotonicTime.now()
    switch event {
    case .message(let topic, let payload): try handle(payload, on: topic, now: now)
    case .unknownTopic: core.count(.unknownTopic, at: now)
    case .connection(let event): try handle(event)
    case .call(let call): services.receive(call, at: now)
    case .wake: break
    case .stop:
      guard drain == nil else { return }
      services.isDraining = true
      // Frames under way get as long as a few missing peers could cost.
      drain = Drain(now: now, limit: configuration.limits.deadline.absence * 4 + .seconds(1))
      presence.say(.draining)
    }
  }

  private func handle(
    _ payload: [UInt8], on topic: Topic, now: MonotonicTime
  ) throws(MartletError) {
    switch topic {
    case .activation(let layer, _):
      core.part(payload, on: topic, now: now)
      if inputs.part(at: now, isBehind: watch.isBehind) {
        logger.error(
          "others compute frames whose inputs do not come here; may this user read input/+ and input/+/\(name)?",
          metadata: ["device": "\(name)"])
      }
      core.work.received(payload.count, of: layer, since: now, until: .now())
    case .input(let client, let addressee):
      guard addressee == nil || addressee == name else { return core.count(.unknownTopic, at: now) }
      inputs.input()
      if core.input(payload, client: client, now: now) { drain?.counted(at: now) }
      core.work.received(payload.count, of: nil, since: now, until: .now())
    case .heartbeat(let device):
      guard let beat = try? Heartbeat(payload: payload, source: "heartbeat/\(device)") else {
        return core.count(.garbage, at: now)
      }
      if device == name {
        try presence.hear(beat, at: now)
        core.echo(now: now)
      } else {
        core.heartbeat(beat, of: device, now: now)
      }
    case .presence(let device): try handlePresence(payload, of: device, now: now)
    case .description(let device):
      guard device == name else { return core.count(.unknownTopic, at: now) }
      presence.hear(description: payload, at: now)
    default: core.count(.unknownTopic, at: now)
    }
  }

  private func handle(_ event: MQTTEvent) throws(MartletError) {
    switch event {
    case .connected:
      if faults.refusesConnection(at: .now()) { return }
      parts.renewLimit(of: client)
      presence.connected()
      logger.info("ready", metadata: ["device": "\(name)", "epoch": "\(epoch)"])
    // The MQTT client logs its attempts.
    case .disconnected:
      presence.disconnected()
      core.disconnected()
      watch.connectionLost()
    case .refused: break
    case .takenOver(let error): throw error
    case .subscriptionRefused(let filter, let error):
      logger.error("\(error)", metadata: ["filter": "\(filter)"])
    case .publishRefused(let topic, let error): try presence.refused(topic, error)
    case .closed: break
    }
  }

  private func leave() throws(MartletError) {
    publishMetrics(now: .now())
    services.close()
    // The last parts before the goodbye, or nobody would wait for them: as long as they leave.
    var statistics = client.statistics
    var left: UInt64?
    while statistics.bulkFinished < statistics.bulkAccepted, statistics.bulkFinished != left {
      left = statistics.bulkFinished
      try? client.flush(timeout: .seconds(10))
      statistics = client.statistics
    }
    presence.say(.offline)
    try? client.flush(timeout: .seconds(2))
    logger.info("offline", metadata: ["device": "\(name)"])
  }

  private func publishMetrics(now: MonotonicTime) {
    meter.publish(
      core: core, sent: parts.takeSentBytes(), waitingBytes: mailbox.waitingBytes, client, now: now)
  }

  private func tidy(now: MonotonicTime) {
    core.tidy()
    configuration.tidy?()
    tidying = now.adding(nanoseconds: 2_000_000_000)
  }

  private func report() {
    let now = MonotonicTime.now()
    for line in core.takeDropLines(now: now) {
      logger.warning(
        "dropped messages",
        metadata: [
          "reason": "\(line.reason.rawValue)", "count": "\(line.count)", "total": "\(line.total)",
        ])
    }
    for (line, error) in parts.takeFailures() {
      logger.warning(
        "parts not sent: \(error)", metadata: ["count": "\(line.count)", "total": "\(line.total)"])
    }
    if let error = core.takeProgramFailure() {
      complain(
        "this device cannot run frames", ["device": name, "reason": "\(error)"], at: now)
    }
    for line in core.takeFrameDropLines(now: now) {
      logger.warning(
        "dropped whole frames",
        metadata: [
          "reason": "\(line.reason.rawValue)", "count": "\(line.count)", "total": "\(line.total)",
        ])
    }
    let full = mailbox.takeDropped()
    if full > 0 {
      logger.warning("messages dropped, too many are waiting", metadata: ["count": "\(full)"])
    }
    for notice in core.takeDenials() { logger.log(notice, root: root) }
    for (layer, count) in core.takeSpoiled() {
      complain(
        "this device computes infinities or NaN, so nobody uses its part: look at model and shard",
        ["device": name, "layer": layer, "frames": "\(count)"], at: now)
    }
    presence.work(at: now)
  }
}
