import Dispatch
import Engine
package import Foundations
import Imaging
import JSONCoding
package import Logging
import MQTT
import ModelGraph
package import Plan
import WireProtocol

/// Answers `inference/infer` for clients that know nothing of plans: they send a photograph or a
/// tensor and get the answer as JSON. Several gateways of one group share the requests.
///
/// Three threads: this one keeps the calls, one decodes images, and one runs the frames.
package final class Gateway: EpochBound {
  private let configuration: GatewayConfiguration
  private let folder: PlanFolder
  private let name: String
  private let epoch: UInt64
  private let root: TopicRoot
  private let mailbox: Mailbox<GatewayEvent>
  private let gate: CallGate
  private let client: MQTTClient
  private let lane: InferenceLane
  private let input: RequestInput
  private let decoder = DispatchQueue(label: "martlet.decoder")
  private let logger: Logger
  private let identity: PresenceIdentity
  private let heart: Heart
  private let presence: PresencePublisher
  private let groupFilters: [String]
  private var server: RPCServerState
  private var waiting: [RPCCallKey: ReceivedCall] = [:]
  private var drops = DropCounter<RejectReason>()
  private var isDraining = false
  private let stop = StopRequest()

  static let infer = RPCMethod("inference", "infer")
  static let check = RPCMethod("health", "check")
  static let describe = RPCMethod("device", "describe")

  /// Prepares a gateway; nothing is sent before `run`.
  ///
  /// - Throws: `unsupported` for a model with several inputs, `invalidArgument` for names that are
  ///   no identifiers, mean something else or belong to a device of the plan.
  package init(
    folder: PlanFolder, configuration: GatewayConfiguration, logger: Logger
  ) throws(MartletError) {
    let graph = folder.plan.graph
    guard graph.inputs.count == 1 else {
      throw MartletError(.unsupported, "only models with one input can run distributed")
    }
    self.configuration = configuration
    self.folder = folder
    self.logger = logger
    name = configuration.name ?? configuration.address.userName(or: "gateway")
    try Identifier.check(name, what: "gateway")
    try Identifier.check(configuration.group, what: "group")
    try Gateway.check(name: name, group: configuration.group, plan: folder.plan)
    let offset = configuration.clockOffsetSeconds
    epoch = max(
      Epoch.next(saved: nil, unixMilliseconds: unixMilliseconds(offsetSeconds: offset)),
      configuration.leastEpoch ?? 0)
    root = try TopicRoot(deployment: configuration.address.deployment)
    input = RequestInput(
      shape: graph[graph.inputs[0]].shape, preprocessing: folder.plan.model.preprocessing)
    let limits = configuration.limits(for: folder.plan)
    server = RPCServerState(
      name: name, methods: [Gateway.infer, Gateway.check, Gateway.describe], root: root,
      limits: limits)
    let mailbox = Mailbox<GatewayEvent>(maximumBytes: 1 << 20)
    let gate = CallGate(
      maximumCount: 4096, maximumBytes: 96 << 20,
      maximumCallBytes: limits.requestBytes)
    let root = root
    self.mailbox = mailbox
    self.gate = gate
    lane = InferenceLane(inFlight: configuration.frames(for: folder.plan), logger: logger) {
      mailbox.post(.answered($0, $1))
    }
    identity = try PresenceIdentity(
      .gateway, name: name, epoch: epoch, heartbeat: configuration.heartbeat, root: root)
    var broker = configuration.address.configuration(clientIDPrefix: name)
    broker.will = try identity.message(identity.presence(.lost))
    client = try MQTTClient(
      broker, logger: logger,
      onMessage: { message in
        // Somebody finds out what it may publish; nobody else is meant.
        if PermissionCheck.isOne(message.payload) { return }
        guard let topic = root.parse(message.topic) else { return }
        switch topic {
        case .call:
          if let call = gate.admit(message, on: topic) { mailbox.post(.call(call)) }
        case .presence, .heartbeat, .description:
          // One byte more than any of them may have, so that too long stays too long.
          let payload = Array(message.payload.prefix(DeviceDescription.maximumBytes + 1))
          mailbox.post(.word(topic, payload), bytes: payload.count + 1)
        default: break
        }
      }, onEvent: { mailbox.post(.connection($0)) })
    heart = try Heart(
      client: client, topic: identity.heartbeatTopic, epoch: epoch,
      interval: configuration.heartbeat)
    presence = PresencePublisher(
      identity,
      description: DeviceDescription(
        version: Worker.version, methods: server.methods.map(\.description).sorted(),
        plan: folder.id, parts: [], hardware: .ofThisMachine),
      first: .starting, client: client, heart: heart,
      clock: { unixMilliseconds(offsetSeconds: offset) }, logger: logger)
    let infer = Gateway.infer
    groupFilters = [
      try root.path(
        .sharedMethodCalls(
          service: infer.service, method: infer.method, target: configuration.group)),
      // Every gateway hears a cancellation; the one that works on the call ends it.
      try root.path(
        .methodCalls(service: infer.service, method: RPCMethod.cancel, target: configuration.group)),
    ]
    try client.subscribe(
      groupFilters.map { ($0, .atLeastOnce) }
        + [(try root.path(.calls(target: name)), .atLeastOnce)] + identity.filters)
  }

  /// Checks that calls to the gateway, to its group and to the plan's devices are told apart.
  private static func check(name: String, group: String, plan: Plan) throws(MartletError) {
    guard name != group else {
      throw MartletError(
        .invalidArgument, "a gateway needs another name than its group", context: ["name": name])
    }
    try Plan.Device.checkUnreserved(name, what: "gateway")
    guard group != "client" else {
      throw MartletError(.invalidArgument, "a group cannot be called client")
    }
    for (what, taken) in [("name", name), ("group", group)]
    where plan.devices.contains(where: { $0.name == taken }) {
      throw MartletError(
        .invalidArgument,
        "a device of the plan has the \(what) of the gateway and would answer for it",
        context: [what: taken, "devices": plan.devices.map(\.name).joined(separator: " ")],
        hint: "give another --\(what), or plan again with another name for the device")
    }
  }

  /// The epoch of an ended run of this name that was later than this one's; see `Host`.
  package var overtakenBy: UInt64? { presence.overtakenBy }

  /// Asks the gateway to answer what it has and leave. May be called from any thread.
  package var stopper: @Sendable () -> Void {
    let (mailbox, stop) = (mailbox, stop)
    return {
      stop.make()
      mailbox.post(.stop)
    }
  }

  /// Answers calls until stopped.
  ///
  /// A broker that is not there is waited for.
  ///
  /// - Throws: `permissionDenied` or `invalidArgument` if the broker cannot be used as it is configured
  ///   here, or does not give the rights that a gateway needs; `superseded` if another gateway took over this one's name.
  package func run() throws(MartletError) {
    let (folder, configuration, logger) = (folder, configuration, logger)
    let engines = try DeviceEngines(folder: folder, device: nil)
    defer {
      heart.stop()
      client.close()
      lane.stop()
    }
    guard try client.connect(patience: nil, unless: stop) else { return }
    try checkPermissions()
    let mailbox = mailbox
    lane.start(
      { () throws(MartletError) in
        try InferenceClient(
          engines: engines, planID: folder.id, configuration: configuration.client, logger: logger)
      }, ready: { mailbox.post(.laneReady) }, failed: { mailbox.post(.laneFailed($0)) })
    var drainEnd = MonotonicTime.distantFuture
    while true {
      let now = MonotonicTime.now()
      perform(server.expire(at: now))
      heart.update(frame: 0, queue: server.runningCalls)
      report(at: now)
      let wake = min(server.nextDeadline, drainEnd, presence.due, now + .seconds(1))
      for event in mailbox.take(until: wake) { try handle(event) }
      presence.work(at: .now())
      guard isDraining else { continue }
      if drainEnd == .distantFuture { drainEnd = .now() + .seconds(5) }
      if server.runningCalls == 0 || MonotonicTime.now() >= drainEnd { break }
    }
    presence.say(.offline)
    try? client.flush(timeout: .seconds(2))
  }

  /// Finds out what the broker would be silent about; the lane does the same for frames.
  private func checkPermissions() throws(MartletError) {
    try client.checkPermissions(identity.topics, reading: true, logger: logger)
    // A reply to itself, which nobody else hears.
    try client.checkPermissions(
      [
        identity.descriptionTopic,
        try root.path(.reply(client: name, service: Gateway.infer.service)),
      ], reading: false, logger: logger)
  }

  private func logReady() {
    guard presence.state == .ready else { return }
    logger.info("ready", metadata: ["gateway": "\(name)", "group": "\(configuration.group)"])
  }

  private func handle(_ event: GatewayEvent) throws(MartletError) {
    switch event {
    case .call(let call): receive(call)
    case .answered(let key, let result): answer(key, result)
    case .decoded(let key): if let call = waiting.removeValue(forKey: key) { gate.handled(call) }
    case .word(let topic, let payload): try hear(payload, on: topic)
    case .stop:
      guard !isDraining else { return }
      isDraining = true
      // The others of the group get what comes now.
      client.unsubscribe(groupFilters)
      presence.say(.draining)
    case .connection(.connected):
      presence.connected()
      logReady()
    case .laneReady:
      if isDraining { return }
      presence.say(.ready)
      logReady()
    case .laneFailed(let error): throw error
    case .connection(.takenOver(let error)): throw error
    case .connection(.publishRefused(let topic, let error)): try presence.refused(topic, error)
    case .connection(.subscriptionRefused(_, let error)): logger.error("\(error)")
    // The MQTT client logs its attempts.
    case .connection(.disconnected): presence.disconnected()
    case .connection(.refused), .connection(.closed): break
    }
  }

  /// Something came under the gateway's own name.
  private func hear(_ payload: [UInt8], on topic: Topic) throws(MartletError) {
    let now = MonotonicTime.now()
    switch topic {
    case .presence: try presence.hear(presence: payload, at: now)
    case .heartbeat:
      if let beat = try? Heartbeat(payload: payload, source: identity.heartbeatTopic) {
        try presence.hear(beat, at: now)
      }
    default: presence.hear(description: payload, at: now)
    }
  }

  // MARK: Calls

  private func receive(_ call: ReceivedCall) {
    let actions = server.receive(
      call.payload, on: call.topic, properties: call.properties, arrived: call.arrived,
      cut: call.cut, at: .now())
    var isKept = false
    for case .execute(let wanted) in actions where wanted.key.method == Gateway.infer {
      // The bytes count against the gate until they are decoded.
      waiting[wanted.key] = call
      isKept = true
    }
    if !isKept { gate.handled(call) }
    perform(actions)
  }

  private func perform(_ actions: [RPCServerState.Action]) {
    for action in actions {
      switch action {
      case .execute(let call): execute(call)
      case .abandon: break
      case .count(let reason):
        if let line = drops.record(reason, at: .now()) { log(line) }
      case .publish(let message):
        do {
          try client.publish(MQTTMessage(message))
        } catch {
          logger.warning("\(error)")
        }
      }
    }
  }

  private func execute(_ call: RPCCall) {
    let now = MonotonicTime.now()
    do throws(MartletError) {
      switch call.key.method {
      case Gateway.infer: try infer(call)
      case Gateway.check:
        let isServing = !isDraining && lane.devicesAlive > 0
        let report = HealthReport(status: isServing ? .serving : .notServing, epoch: epoch)
        perform(server.finish(call.key, .ok, body: try report.body(), at: now))
      case Gateway.describe:
        perform(
          server.finish(call.key, .ok, body: try presence.description.body(), at: now))
      default:
        throw MartletError(
          .unsupported, "this gateway has no such method",
          context: ["method": call.key.method.description])
      }
    } catch {
      if let kept = waiting.removeValue(forKey: call.key) { gate.handled(kept) }
      perform(server.finish(call.key, RPCStatus(error), at: now))
    }
  }

  private func infer(_ call: RPCCall) throws(MartletError) {
    guard case .bytes(let bytes, _) = call.request.body else {
      throw MartletError(
        .invalidArgument, "send a JPEG, a PNG or a safetensors tensor behind the envelope",
        hint: #"one line of JSON with "content_type", a line feed, the file"#)
    }
    let (mailbox, lane, input) = (mailbox, lane, input)
    decoder.async {
      defer { mailbox.post(.decoded(call.key)) }
      if call.deadline <= .now() { return }
      do throws(MartletError) {
        let input = try input.input(bytes)
        lane.submit(.init(key: call.key, input: input, deadline: call.deadline))
      } catch {
        mailbox.post(.answered(call.key, .failure(error)))
      }
    }
  }

  private func answer(_ key: RPCCallKey, _ result: Result<FrameResult, MartletError>) {
    let now = MonotonicTime.now()
    do throws(MartletError) {
      perform(server.finish(key, .ok, body: try result.get().body(), at: now))
    } catch {
      perform(server.finish(key, RPCStatus(error), at: now))
    }
  }

  private func report(at now: MonotonicTime) {
    for (reason, count) in gate.takeRefused() {
      for _ in 0..<count { if let line = drops.record(reason, at: now) { log(line) } }
    }
    for line in drops.due(at: now) { log(line) }
  }

  private func log(_ line: DropCounter<RejectReason>.Line) {
    logger.warning(
      "requests not executed",
      metadata: [
        "reason": "\(line.reason.rawValue)", "count": "\(line.count)", "total": "\(line.total)",
      ])
  }
}

/// What happens to a gateway.
enum GatewayEvent: Sendable {
  case call(ReceivedCall)
  /// A call's bytes are not needed any more.
  case decoded(RPCCallKey)
  case answered(RPCCallKey, Result<FrameResult, MartletError>)
  /// A presence, a heartbeat or a description under this gateway's own name.
  case word(Topic, [UInt8])
  case connection(MQTTEvent)
  /// Frames can be run from now on.
  case laneReady
  /// Frames will never be run.
  case laneFailed(MartletError)
  case stop
}
