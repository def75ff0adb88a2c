package import Foundations
package import Kernels
import ModelGraph
package import Plan
package import Resilience
package import Tensors
package import WireProtocol

/// What a client does with messages and time: who can be counted on, and which frames are answered.
/// Knows neither sockets nor clocks; `InferenceClient` feeds it.
package final class ClientCore {
  /// A frame that has come to its end.
  package struct Outcome {
    package var key: FrameKey
    package var engine: DeviceEngine
    package var execution: Execution
    package var fills: FillReport
    package var roles: Attendance
    /// Who could be counted on when it was sent, by device.
    package var awaited: [Bool]
    /// Whether any device sent anything for it, or those that would have are not counted on; where
    /// another device may answer alone, whether nothing is missing.
    package var hasParts: Bool
    /// Whether the answer is null: nothing reached the last layer.
    package var isNull: Bool
  }

  let peer: PeerCore
  /// Whether each frame goes to one device.
  package let dispatches: Bool
  private let replicas: Replicas
  private let frameLimit: UInt64
  private var dispatch: FrameDispatch
  /// Whose frames these are, once one has begun.
  private var client: String?
  /// Devices that asked to hold back new frames.
  private var full: Set<String> = []
  /// Devices that take frames as pixels.
  private var pixelReaders: Set<String> = []
  /// Frames for which something has come.
  private var heard: Set<FrameKey> = []
  /// Of dispatched frames under way, who could have had them.
  private var choices: [FrameKey: [Bool]] = [:]

  /// - Parameters:
  ///   - deadline: how long to wait for a device once another has answered.
  ///   - frameLimit: nanoseconds in which nothing moves for a frame before it is given up.
  package init(
    engines: DeviceEngines, planID: String, deadline: DeadlinePolicy, frameLimit: UInt64,
    replicas: Replicas = .standby, study: FailureTable? = nil
  ) {
    peer = PeerCore(
      engines: engines, planID: planID, device: nil, deadline: deadline, study: study)
    self.frameLimit = frameLimit
    self.replicas = replicas
    dispatches = engines.plan.dispatchesFrames && replicas == .standby
    dispatch = FrameDispatch(devices: engines.plan.devices.count, frameLimit: frameLimit)
  }

  /// The plan of the frames.
  package var plan: Plan { peer.plan }
  /// The id of the plan that the devices should run.
  package var planID: String { peer.planID }
  /// The devices' names, by number.
  package var names: [String] { peer.names }
  /// Devices whose parts do not come here although they work.
  package var denials: [Denial] { peer.denials }

  /// The bytes that each device sends here for a frame; none of one of which that cannot be told.
  package func needs(elementBytes: Int) -> [Int] {
    names.indices.map { device in
      let engine = try? peer.engines.engine(for: plan.usualAttendance(of: device))
      return engine?.needs(devices: names.count, elementBytes: elementBytes)[device] ?? 0
    }
  }

  /// Messages that were not used.
  package var drops: DropCounter<RejectReason> { peer.drops.counter }

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

  /// Whether all that are to take part in a frame take it as pixels.
  package func takePixels(_ roles: Attendance) -> Bool {
    names.indices.allSatisfy { roles[$0] == .absent || pixelReaders.contains(names[$0]) }
  }

  /// A device that is counted on and asks to hold back new frames, if any does.
  package func overloaded(now: MonotonicTime) -> String? {
    guard !full.isEmpty else { return nil }
    return names.first { full.contains($0) && peer.liveness.state(of: $0, at: now) == .alive }
  }

  /// Who takes part in a frame that is sent now: all that are there, or the one to which it goes.
  ///
  /// - Parameter isUrgent: whether it is sent even to devices that asked to hold back.
  /// - Returns: nil while it has to wait, for somebody to be there or to have less to do.
  package func departure(isUrgent: Bool, now: MonotonicTime) -> Attendance? {
    let roles = roles(now: now)
    guard dispatches else {
      guard isUrgent || overloaded(now: now) == nil,
        roles.roles.contains(where: { $0 != .absent })
      else { return nil }
      return roles
    }
    let ready = names.indices.map { device in
      roles.awaits(device) && (isUrgent || !full.contains(names[device]))
    }
    return dispatch.choose(among: ready, isUrgent: isUrgent).map { .only($0, of: names.count) }
  }

  /// A suspect that should get a copy of a frame that another device computes, to show that it works
  /// again; only where each frame goes to one device. Nobody waits for the answer.
  package func probe(now: MonotonicTime) -> Int? {
    let states = states(now: now)
    guard dispatches, states.contains(.alive) else { return nil }
    return dispatch.probe(states.map { $0 == .suspect }, at: now)
  }

  /// Each device's state.
  package func states(now: MonotonicTime) -> [PeerState] {
    names.map { peer.liveness.state(of: $0, at: now) }
  }

  /// What is known of the devices that are not counted on.
  package func absences(now: MonotonicTime) -> [Absence] {
    zip(names, states(now: now)).filter { $0.1 != .alive }.map {
      Absence(device: $0, state: $1, presence: peer.liveness.presence(of: $0))
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
    let engine = try peer.engines.engine(for: roles)
    let execution = try peer.pool.take(for: engine)
    try engine.setInputs([input], of: execution)
    let task = FrameTask(
      key: key, engine: engine, execution: execution, roles: roles,
      devices: names.indices.map { gatherDevice($0, role: roles.roles[$0], now: now) },
      waiting: .firstPart(limit: min(frameLimit, left)), arrivals: peer.arrivals, now: now,
      until: end)
    task.boundary.isHurried = left < frameLimit
    task.boundary.isDoubtful = !states(now: now).contains(.alive)
    peer.tasks.append(task)
    client = key.client
    if dispatches, let device = roles.roles.firstIndex(of: .awaited) {
      dispatch.began(key, on: device, at: now)
      let choice = self.roles(now: now)
      choices[key] = names.indices.map(choice.awaits)
    }
  }

  /// Waits for all that the frame counts on, whatever has become of them since.
  private func gatherDevice(
    _ number: Int, role: Attendance.Role, now: MonotonicTime
  ) -> GatherState.Device {
    let epoch = peer.liveness.epoch(of: names[number]) ?? 0
    switch role {
    case .awaited: return GatherState.Device(epoch: epoch)
    case .probed:
      let isDoubted = peer.isMerelyLate(number, at: now)
      return GatherState.Device(
        epoch: epoch, down: isDoubted ? nil : peer.suspicion(of: number), isDoubted: isDoubted)
    case .absent:
      let state = peer.liveness.state(of: names[number], at: now)
      return GatherState.Device(epoch: epoch, down: state.missingReason ?? .lost)
    }
  }

  /// Takes a device's part.
  package func part(_ payload: [UInt8], on topic: Topic, now: MonotonicTime) {
    peer.receive(payload, on: topic, now: now) { route($0, now: now) }
  }

  private func route(_ part: PartReceiver.ReceivedPart, now: MonotonicTime) -> RejectReason? {
    let key = FrameKey(client: part.header.client, frame: part.header.frame)
    let task = peer.task(key)
    if task != nil { peer.arrivals.book.began(part.exchange, of: key, at: now) }
    let report = FillReport(
      text: part.header.note, exchanges: plan.exchanges.count, devices: names.count)
    let isTrusted = peer.learn(
      from: part, of: key, isAhead: task != nil, task: task, report: report, now: now)
    if dispatches, key.client == client {
      dispatch.answered(key, by: part.device, at: now)
      // However late: it works, and its frames have gone elsewhere meanwhile.
      peer.liveness.part(of: names[part.device], epoch: part.header.epoch, at: now)
    }
    guard part.isFinite else { return peer.refuse(part, task: task, now: now) }
    // Parts of other clients' frames come on the same topics and are none of our business.
    guard let task else { return nil }
    guard let report else { return .garbage }
    return peer.take(part, into: task, now: now) {
      heard.insert(key)
      if isTrusted {
        for fill in report.all where fill.reason == .corrupt {
          peer.distrust(fill.device, now: now)
        }
      }
      peer.merge(report, isTrusted: isTrusted, into: task, now: now)
    }
  }

  /// This process did not run for some time, and could not listen: nobody is blamed for it.
  package func wasAway(_ time: Duration) { peer.postpone(by: time.nanoseconds) }

  /// The bytes of tensors that were seen to move, all together; a mark for `lastMovement`.
  package var moved: UInt64 { peer.arrivals.movement.total }

  /// When anything moved last that may be for the frames under way; nil if nothing has.
  ///
  /// - Parameter mark: what `moved` was when the waiting began.
  package func lastMovement(since mark: UInt64) -> MonotonicTime? {
    peer.mayConcern(since: mark) ? peer.arrivals.movement.last : nil
  }

  /// Whether anything has moved since `moved` was `mark`.
  package func hasMoved(since mark: UInt64) -> Bool { peer.arrivals.movement.total > mark }

  /// The most bytes a second that each device was seen to move for frames; nil where it did not say.
  package var rates: [Double?] { names.indices.map { peer.arrivals.movement.rate(of: $0) } }

  /// Whether any device says what it moves.
  package var isToldOfMovement: Bool { peer.arrivals.movement.isTold }

  /// Some of a frame that waited to be sent has left.
  package func passes(at now: MonotonicTime) { peer.arrivals.movement.passed(at: now) }

  /// Takes word of a device.
  package func presence(_ presence: Presence, of name: String, now: MonotonicTime) {
    peer.liveness.receive(presence, of: name)
  }

  /// Takes what a device says of itself.
  ///
  /// - Returns: its plan, if that is news and not ours.
  package func description(_ description: DeviceDescription, of name: String) -> String? {
    if names.contains(name) {
      if description.takesPixels { pixelReaders.insert(name) } else { pixelReaders.remove(name) }
    }
    let isOther = description.plan != planID
    return peer.liveness.fence(name, isOther) && isOther ? description.plan : nil
  }

  /// Takes a device's heartbeat.
  package func heartbeat(_ heartbeat: Heartbeat, of name: String, now: MonotonicTime) {
    guard peer.heartbeat(heartbeat, of: name, now: now) else { return }
    if let number = names.firstIndex(of: name) { dispatch.told(heartbeat.queue, by: number) }
    if heartbeat.isFull { full.insert(name) } else { full.remove(name) }
  }

  /// The connection is lost: whoever is there afterwards has to be heard first. Until then all are
  /// suspect, so that the first sign of one tells that frames sent before it may be lost.
  package func disconnected() {
    peer.liveness.doubtEverybody()
    peer.arrivals.deliveries.connectionLost()
    for task in peer.tasks { task.boundary.isDoubtful = true }
  }

  /// Counts a message that was not used.
  package func count(_ reason: RejectReason, at now: MonotonicTime) {
    peer.drops.record(reason, at: now)
  }

  /// What to log about dropped messages.
  package func takeDropLines(now: MonotonicTime) -> [DropCounter<RejectReason>.Line] {
    peer.drops.takeLines(now: now)
  }

  /// What to log about parts that are kept back, or no longer: each once.
  package func takeDenials() -> [Denial.Notice] { peer.collectDenials() }

  /// Changes of who is alive since the last call; frames under way stop waiting for the lost, and
  /// for suspects as long as somebody is alive (see `roles`).
  ///
  /// The first to be back after nobody was there has not got what was sent meanwhile, or answers it
  /// soon: frames for which nothing has come wait for one more deadline and are then sent again, long
  /// before the frame limit.
  package func takeChanges(now: MonotonicTime) -> [Liveness.Change] {
    let changes = peer.liveness.changes(at: now)
    let someoneIsAlive = states(now: now).contains(.alive)
    for change in changes where change.to != .suspect || someoneIsAlive {
      peer.follow(change, at: now)
    }
    guard someoneIsAlive else {
      for task in peer.tasks { task.boundary.isDoubtful = true }
      return changes
    }
    let end = now + peer.arrivals.book.policy.absence
    for task in peer.tasks where task.boundary.isDoubtful {
      task.boundary.isDoubtful = false
      if !heard.contains(task.key) { task.boundary.expectNothing(after: end) }
    }
    return changes
  }

  /// Runs what can run.
  ///
  /// - Returns: a frame that has ended, or the time until which nothing will.
  package func work(clock: () -> MonotonicTime) -> (outcome: Outcome?, wake: MonotonicTime) {
    var wake = peer.liveness.nextChange(after: clock())
    for task in peer.tasks {
      if task.position == 0 { task.runStage(now: clock, publish: { _, _ in }) }
      while true {
        let progress = peer.advance(task, now: clock(), wake: &wake)
        if progress == .finished { return (end(task), wake) }
        guard progress == .runnable else { break }
        task.runStage(now: clock, publish: { _, _ in })
      }
    }
    return (nil, wake)
  }

  private func end(_ task: FrameTask) -> Outcome {
    peer.remove(task)
    dispatch.ended(task.key)
    let awaited = choices.removeValue(forKey: task.key)
    return Outcome(
      key: task.key, engine: task.engine, execution: task.execution, fills: task.fills,
      roles: task.roles, awaited: awaited ?? names.indices.map(task.roles.awaits),
      hasParts: hasAnswer(task),
      isNull: task.engine.program.graph.outputs.contains(where: task.nulls.contains))
  }

  /// Whether what there is of a frame is its answer. Where another device may answer alone, nothing less
  /// than all is.
  private func hasAnswer(_ task: FrameTask) -> Bool {
    let wasHeard = heard.remove(task.key) != nil
    return dispatches ? wasHeard && task.fills.isEmpty : wasHeard || isHopeless(task)
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
    peer.pool.give(outcome.execution, of: outcome.engine)
  }
}
