package import Kernels
import ModelGraph
package import Plan
package import Resilience
package import TensorCore
package import WireProtocol

/// What a client does with messages and time: who can be counted on, and which frames are answered.
/// Knows neither sockets nor clocks; `InferenceClient` feeds it.
package final class ClientCore: Gatherer {
  /// A frame that has come to its end.
  package struct Outcome {
    package var key: FrameKey
    package var engine: DeviceEngine
    package var execution: Execution
    package var fills: FillReport
    package var roles: Attendance
    /// Whether any device sent anything for it, or those that would have are not counted on.
    package var hasParts: Bool
    /// Whether the answer is null: nothing reached the last layer.
    package var isNull: Bool
  }

  let engines: DeviceEngines
  let plan: Plan
  package let planID: String
  private let replicas: Replicas
  var liveness: Liveness
  package private(set) var drops = DropCounter<RejectReason>()
  /// Devices that asked to hold back new frames.
  private var full: Set<String> = []
  private var receiver: PartReceiver
  var tasks: [FrameTask] = []
  private var heard: Set<FrameKey> = []
  /// Working memory of the last frames' program, for frames with the same attendance.
  private var pool: [Execution] = []
  private var poolProgram: ObjectIdentifier?
  let names: [String]
  private let exchanges: [String: Int]
  private let frameLimit: UInt64
  let arrivals: Arrivals
  let gathered: Set<Int>

  /// - Parameters:
  ///   - deadline: how long to wait for a device once another has answered.
  ///   - frameLimit: nanoseconds that a frame may take at most.
  package init(
    engines: DeviceEngines, planID: String, deadline: DeadlinePolicy, frameLimit: UInt64,
    replicas: Replicas = .standby, study: FailureTable? = nil
  ) {
    self.engines = engines
    plan = engines.plan
    self.planID = planID
    self.frameLimit = frameLimit
    self.replicas = replicas
    names = plan.devices.map(\.name)
    exchanges = Dictionary(
      plan.exchanges.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    arrivals = Arrivals(policy: deadline, devices: names.count, study: study)
    liveness = Liveness(devices: names)
    gathered = Set(plan.possibleGatherings(device: nil))
    receiver = PartReceiver(plan: plan, planID: planID, exchanges: gathered)
  }

  /// Who would take part in a frame that began now.
  ///
  /// With nobody alive the suspects are waited for: a broker that was away makes everybody suspect,
  /// and a frame that waits for nobody would end before anybody could answer.
  package func roles(now: MonotonicTime) -> Attendance {
    let states = states(now: now)
    let suspects: Attendance.Role = states.contains(.alive) ? .probed : .awaited
    return Attendance(
      states.map { state in
        switch state {
        case .alive: .awaited
        case .suspect: suspects
        case .unknown, .draining, .lost, .fenced: .absent
        }
      }, replicas: replicas)
  }

  /// A device that is counted on and asks to hold back new frames, if any does.
  package func overloaded(now: MonotonicTime) -> String? {
    guard !full.isEmpty else { return nil }
    return names.first { full.contains($0) && liveness.state(of: $0, at: now) == .alive }
  }

  /// Each device's state.
  package func states(now: MonotonicTime) -> [PeerState] {
    names.map { liveness.state(of: $0, at: now) }
  }

  /// What is known of the devices that are not counted on.
  package func absences(now: MonotonicTime) -> [Absence] {
    zip(names, states(now: now)).filter { $0.1 != .alive }.map {
      Absence(device: $0, state: $1, presence: liveness.presence(of: $0))
    }
  }

  /// Begins to wait for a frame's parts.
  ///
  /// - Parameter end: when the frame ends, whatever is missing. That raises no suspicion: the
  ///   devices may be as fast as ever, and the caller in a hurry.
  package func begin(
    _ key: FrameKey, input: Tensor, roles: Attendance, until end: MonotonicTime = .distantFuture,
    now: MonotonicTime
  ) throws(MartletError) {
    let left = end.nanoseconds(since: now)
    let engine = try engines.engine(for: roles)
    if poolProgram != ObjectIdentifier(engine.compiled) {
      pool = []
      poolProgram = ObjectIdentifier(engine.compiled)
    }
    let execution =
      if let used = pool.popLast() { used } else { try Execution(engine.compiled) }
    try engine.setInputs([input], of: execution)
    let task = FrameTask(
      key: key, engine: engine, execution: execution, roles: roles,
      devices: names.indices.map { number in
        let epoch = liveness.epoch(of: names[number]) ?? 0
        switch roles.roles[number] {
        case .awaited: return GatherState.Device(epoch: epoch)
        case .probed:
          let isDoubted = isMerelyLate(number, at: now)
          return GatherState.Device(
            epoch: epoch, down: isDoubted ? nil : suspicion(of: number), isDoubted: isDoubted)
        case .absent:
          let state = liveness.state(of: names[number], at: now)
          return GatherState.Device(epoch: epoch, down: state.missingReason ?? .lost)
        }
      }, waiting: .firstPart(limit: min(frameLimit, left)), arrivals: arrivals, now: now)
    task.isHurried = left < frameLimit
    task.isDoubtful = !states(now: now).contains(.alive)
    tasks.append(task)
  }

  /// Takes a device's part.
  package func part(_ payload: [UInt8], on topic: Topic, now: MonotonicTime) {
    came(on: topic, now: now)
    let rejected = receiver.receive(
      payload, on: topic, knownEpoch: { liveness.epoch(of: $0) },
      body: { part in
        if let reason = route(part, now: now) { count(reason, at: now) }
      })
    guard let rejected else { return }
    count(rejected, at: now)
    if [.garbage, .wrongShape, .topicDisagrees].contains(rejected),
      case .activation(let layer, let sender) = topic, let exchange = exchanges[layer],
      let number = names.firstIndex(of: sender)
    {
      for task in tasks { task.refuse(exchange, device: number) }
    }
  }

  private func route(_ part: PartReceiver.Part, now: MonotonicTime) -> RejectReason? {
    let key = FrameKey(client: part.header.client, frame: part.header.frame)
    let task = tasks.first { $0.key == key }
    if task != nil { arrivals.book.began(part.exchange, of: key, at: now) }
    let report = FillReport(
      text: part.header.note, exchanges: plan.exchanges.count, devices: names.count)
    let timing = arrivals.book.arrived(
      part.exchange, from: part.device, epoch: part.header.epoch, of: key, isAhead: task != nil,
      isDelayed: task?.isDelayed == true || report?.blamesDeadline == true, at: now)
    // Before the part itself brings its sender back.
    let isTrusted = liveness.state(of: names[part.device], at: now) == .alive
    liveness.part(
      of: names[part.device], epoch: part.header.epoch, at: now, inTime: timing == .inTime)
    guard part.isFinite else {
      distrust(part.device, now: now)
      task?.spoil(part.exchange, device: part.device)
      return .notFinite
    }
    // Parts of other clients' frames come on the same topics and are none of our business.
    guard let task else { return nil }
    guard let report else { return .garbage }
    switch task.receive(
      part.elements, exchange: part.exchange, device: part.device, epoch: part.header.epoch,
      now: now)
    {
    case .accepted, .reserve:
      heard.insert(key)
      if isTrusted {
        for fill in report.all where fill.reason == .corrupt { distrust(fill.device, now: now) }
      }
      for (device, wasFree) in task.merge(report, isTrusted: isTrusted, now: now) {
        suspect(device, wasFree: wasFree)
      }
      return nil
    case nil: return nil
    case .duplicate: return .duplicate
    case .late, .early: return .late
    case .staleEpoch: return .staleEpoch
    case .unknownDevice: return .unknownDevice
    case .wrongSize: return .wrongShape
    }
  }

  /// This process did not run for some nanoseconds, and could not listen: nobody is blamed for them.
  package func wasAway(_ nanoseconds: UInt64) { postpone(by: nanoseconds) }

  /// Takes word of a device.
  package func presence(_ presence: Presence, of name: String, now: MonotonicTime) {
    liveness.receive(presence, of: name)
  }

  /// Takes what a device says of itself.
  ///
  /// - Returns: its plan, if that is news and not ours.
  package func description(_ description: DeviceDescription, of name: String) -> String? {
    let isOther = description.plan != planID
    return liveness.fence(name, isOther) && isOther ? description.plan : nil
  }

  /// Takes a device's heartbeat.
  package func heartbeat(_ heartbeat: Heartbeat, of name: String, now: MonotonicTime) {
    guard
      liveness.heartbeat(
        of: name, epoch: heartbeat.epoch, promise: heartbeat.promise, at: now)
    else { return }
    went(name, on: heartbeat)
    if heartbeat.isFull { full.insert(name) } else { full.remove(name) }
  }

  /// The connection is lost: whoever is there afterwards has to be heard first. Until then all are
  /// suspect, so that the first sign of one tells that frames sent before it may be lost.
  package func disconnected() {
    liveness.doubtEverybody()
    arrivals.deliveries.connectionLost()
    for task in tasks { task.isDoubtful = true }
  }

  /// Counts a message that was not used.
  func count(_ reason: RejectReason, at now: MonotonicTime) {
    if let line = drops.record(reason, at: now) { dropLines.append(line) }
  }

  private var dropLines: [DropCounter<RejectReason>.Line] = []

  /// What to log about dropped messages.
  func takeDropLines(now: MonotonicTime) -> [DropCounter<RejectReason>.Line] {
    defer { dropLines = [] }
    return dropLines + drops.due(at: now)
  }

  /// What to log about parts that are kept back, or no longer: each once.
  package func takeDenials() -> [Denial.Notice] { collectDenials() }

  /// Changes of who is alive since the last call; frames under way stop waiting for the lost, and
  /// for suspects as long as somebody is alive (see `roles`).
  ///
  /// The first to be back after nobody was there has not got what was sent meanwhile, or answers it
  /// soon: frames for which nothing has come wait for one more deadline and are then sent again, long
  /// before the frame limit.
  package func takeChanges(now: MonotonicTime) -> [Liveness.Change] {
    let changes = liveness.changes(at: now)
    let someoneIsAlive = states(now: now).contains(.alive)
    for change in changes {
      // A draining device finishes the frames under way.
      guard let reason = change.to.missingReason, change.to != .unknown, change.to != .draining,
        change.to != .suspect || someoneIsAlive, let number = names.firstIndex(of: change.device)
      else { continue }
      goesDown(number, reason: reason, at: now)
    }
    guard someoneIsAlive else {
      for task in tasks { task.isDoubtful = true }
      return changes
    }
    let end = now.adding(nanoseconds: arrivals.book.policy.absence)
    for task in tasks where task.isDoubtful {
      task.isDoubtful = false
      if !heard.contains(task.key) { task.expectNothing(after: end) }
    }
    return changes
  }

  /// Runs what can run.
  ///
  /// - Returns: a frame that has ended, or the time until which nothing will.
  package func work(clock: () -> MonotonicTime) -> (outcome: Outcome?, wake: MonotonicTime) {
    var wake = liveness.nextChange(after: clock())
    for task in tasks {
      if task.position == 0 { task.runSegment(now: clock, publish: { _, _ in }) }
      while true {
        wake = min(wake, giveUpSilent(task, now: clock()))
        let progress = task.progress(now: clock())
        for miss in task.takeMissed() { blame(miss) }
        if case .waiting(let until) = progress { wake = min(wake, until) }
        guard progress == .runnable else {
          if progress == .finished { return (end(task), wake) }
          break
        }
        task.runSegment(now: clock, publish: { _, _ in })
      }
    }
    return (nil, wake)
  }

  private func end(_ task: FrameTask) -> Outcome {
    tasks.removeAll { $0 === task }
    hasEnded(task)
    return Outcome(
      key: task.key, engine: task.engine, execution: task.execution, fills: task.fills,
      roles: task.roles,
      hasParts: heard.remove(task.key) != nil || isHopeless(task),
      isNull: task.engine.program.graph.outputs.contains(where: task.nulls.contains))
  }

  /// Whether all that the client gathers was whole parts of devices that the frame did not count on:
  /// asking again would bring nothing else.
  private func isHopeless(_ task: FrameTask) -> Bool {
    task.engine.program.gatherings.allSatisfy { gathering in
      plan.exchanges[gathering.exchange].isWhole
        && gathering.parts.allSatisfy { !task.roles.awaits($0.device) }
    }
  }

  /// Gives back an outcome's working memory.
  package func recycle(_ outcome: Outcome) {
    if poolProgram == ObjectIdentifier(outcome.engine.compiled) { pool.append(outcome.execution) }
  }
}
