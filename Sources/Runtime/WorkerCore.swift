import Kernels
import ModelGraph
import Plan
package import TensorCore
package import WireProtocol

/// What a worker does with messages and time: which frames it computes, in which order, and what it
/// waits for. Knows neither sockets nor clocks; `Worker` feeds it.
package final class WorkerCore {
  /// Limits on what may wait here.
  package struct Limits: Sendable {
    /// Frames being computed at once; each has an arena of its own.
    package var framesInFlight = 4
    /// Frames waiting to be begun. Beyond that the oldest is dropped whole.
    package var pendingFrames = 8
    /// Frames ahead of the current one whose parts are kept.
    package var framesAhead = 16
    /// Bytes of parts kept for frames that have not begun, per client.
    package var earlyBytes = 64 << 20
    /// Clients served at once; beyond that the one that was quiet longest is forgotten.
    package var clients = 16
    /// Nanoseconds to wait for others' parts, from the moment one's own is ready.
    package var deadlineNanoseconds: UInt64 = 250_000_000

    package init() {}
  }

  /// Counts since the start.
  package struct Counters: Sendable, Equatable {
    package var framesFinished: UInt64 = 0
    package var framesSkipped: UInt64 = 0
    package var framesDropped: UInt64 = 0
    package var fills: [String: UInt64] = [:]
    package var lastFrame: UInt64 = 0
  }

  private struct EarlyPart: Sendable {
    var exchange: Int
    var device: Int
    var epoch: UInt64
    var elements: [Float]
    var report: FillReport
  }

  private struct PendingFrame {
    var key: FrameKey
    var roles: Attendance
    var input: [Float]
  }

  private struct ClientState {
    var inbox: FrameInbox<EarlyPart>
    var assembler: ChunkAssembler
    var lastInput: UInt64 = 0
    var lastHeard: MonotonicTime
  }

  let engines: DeviceEngines
  private let plan: Plan
  let planID: String
  let device: Int
  let limits: Limits
  package private(set) var liveness: Liveness
  package private(set) var counters = Counters()
  package private(set) var drops = DropCounter<RejectReason>()
  /// Where time and bytes went, since the meter last asked.
  var work: WorkCounters
  private var receiver: PartReceiver
  /// Exchanges that the client gathers.
  private let lastExchanges: Set<Int>
  private var clients: [String: ClientState] = [:]
  private var pending: [PendingFrame] = []
  private var tasks: [FrameTask] = []
  /// Working memory of the last frames' program, for frames with the same attendance.
  private var pool: [Execution] = []
  private var poolProgram: ObjectIdentifier?
  private let names: [String]
  private let inputShape: Shape

  package init(engines: DeviceEngines, planID: String, device: Int, limits: Limits) {
    self.engines = engines
    plan = engines.plan
    self.planID = planID
    self.device = device
    self.limits = limits
    names = plan.devices.map(\.name)
    inputShape = plan.graph[plan.graph.inputs[0]].shape
    liveness = Liveness(devices: names.enumerated().filter { $0.offset != device }.map(\.element))
    work = WorkCounters(exchanges: plan.exchanges.map(\.id))
    receiver = PartReceiver(
      plan: plan, planID: planID,
      exchanges: Set(plan.possibleGatherings(device: device)))
    lastExchanges = Set(plan.possibleGatherings(device: nil))
  }

  /// Frames here: begun and waiting.
  package var queueLength: Int { tasks.count + pending.count }

  /// Bytes of inputs and parts that wait for their frames to begin.
  var queuedBytes: Int {
    pending.reduce(0) { $0 + $1.input.count * 4 }
      + clients.values.reduce(0) { $0 + $1.inbox.bytes }
  }

  // MARK: Messages

  /// Takes a frame's input, whole or in chunks.
  package func input(_ payload: [UInt8], client: String, now: MonotonicTime) {
    let rejected: RejectReason? = payload.withUnsafeBytes { bytes in
      guard let message = try? TensorMessage(decoding: bytes) else { return .garbage }
      let header = message.header
      guard header.device == client else { return .topicDisagrees }
      guard header.plan == planID else { return .wrongPlan }
      guard header.shape == inputShape else { return .wrongShape }
      guard let roles = Attendance(text: header.note, devices: names.count) else { return .garbage }
      heard(client, frame: header.frame, now: now)
      guard header.frame > clients[client]?.lastInput ?? 0 else { return .late }
      switch clients[client]?.assembler.receive(message) {
      case .complete?: break
      case .incomplete?: return nil
      case .duplicate?: return .duplicate
      case .rejected(let reason)?: return reason
      case .late?, nil: return .late
      }
      clients[client]?.lastInput = header.frame
      guard roles.roles[device] != .absent else {
        counters.framesSkipped += 1
        return nil
      }
      let elements = clients[client]?.assembler.withElements { Array($0) } ?? []
      enqueue(
        PendingFrame(
          key: FrameKey(client: client, frame: header.frame), roles: roles, input: elements))
      return nil
    }
    if let rejected { count(rejected, at: now) }
  }

  /// Takes another device's part.
  package func part(_ payload: [UInt8], on topic: Topic, now: MonotonicTime) {
    let rejected = receiver.receive(
      payload, on: topic, knownEpoch: { liveness.epoch(of: $0) },
      body: { part in
        let name = names[part.device]
        liveness.part(of: name, epoch: part.header.epoch, at: now)
        if let reason = route(part, now: now) { count(reason, at: now) }
      })
    if let rejected { count(rejected, at: now) }
  }

  /// Takes word of another device.
  package func presence(_ presence: Presence, of name: String, now: MonotonicTime) {
    liveness.receive(presence, of: name)
    noticeChanges(now: now)
  }

  /// Takes another device's heartbeat.
  package func heartbeat(_ heartbeat: Heartbeat, of name: String, now: MonotonicTime) {
    liveness.heartbeat(of: name, epoch: heartbeat.epoch, at: now)
  }

  /// Counts a message that was not used.
  func count(_ reason: RejectReason, at now: MonotonicTime) {
    if let line = drops.record(reason, at: now) { dropLines.append(line) }
  }

  private var dropLines: [DropCounter<RejectReason>.Line] = []

  /// What to log about dropped messages: at most one line a second for each reason.
  package func takeDropLines(now: MonotonicTime) -> [DropCounter<RejectReason>.Line] {
    defer { dropLines = [] }
    return dropLines + drops.due(at: now)
  }

  private func route(_ part: PartReceiver.Part, now: MonotonicTime) -> RejectReason? {
    let header = part.header
    guard Identifier.isValid(header.client) else { return .garbage }
    guard
      let report = FillReport(
        text: header.note, exchanges: plan.exchanges.count, devices: names.count)
    else { return .garbage }
    let key = FrameKey(client: header.client, frame: header.frame)
    if let task = tasks.first(where: { $0.key == key }) {
      switch task.receive(
        part.elements, exchange: part.exchange, device: part.device, epoch: header.epoch, now: now)
      {
      case .accepted, .reserve:
        task.merge(report)
        return nil
      case .duplicate: return .duplicate
      case .late, .early: return .late
      case .staleEpoch: return .staleEpoch
      case .unknownDevice: return .unknownDevice
      case .wrongSize: return .wrongShape
      }
    }
    heard(header.client, frame: header.frame, now: now)
    let early = EarlyPart(
      exchange: part.exchange, device: part.device, epoch: header.epoch,
      elements: part.elements.floats(), report: report)
    switch clients[header.client]?.inbox.store(
      early, frame: header.frame, bytes: early.elements.count * 4)
    {
    case .stored?: return nil
    case .notAhead?, nil: return .late
    case .tooFarAhead?: return .tooFarAhead
    case .full?: return .noRoom
    }
  }

  /// Makes sure that there is a state for a client, forgetting the quietest one if there are many.
  private func heard(_ client: String, frame: UInt64, now: MonotonicTime) {
    if clients[client] == nil {
      if clients.count >= limits.clients,
        let quietest = clients.min(by: { $0.value.lastHeard < $1.value.lastHeard })?.key
      {
        clients[quietest] = nil
      }
      clients[client] = ClientState(
        inbox: FrameInbox(
          maximumFramesAhead: limits.framesAhead, maximumBytes: limits.earlyBytes,
          current: frame - min(frame, UInt64(limits.framesAhead / 2))),
        assembler: ChunkAssembler(shape: inputShape), lastHeard: now)
    }
    clients[client]?.lastHeard = now
  }

  private func enqueue(_ frame: PendingFrame) {
    pending.append(frame)
    while pending.count > limits.pendingFrames {
      pending.removeFirst()
      counters.framesDropped += 1
    }
  }

  /// Peers that went down are not waited for any more, in frames under way either.
  private func noticeChanges(now: MonotonicTime) {
    for change in liveness.changes(at: now) {
      // A draining peer finishes the frames under way.
      guard let reason = change.to.missingReason, change.to != .unknown, change.to != .draining,
        let number = names.firstIndex(of: change.device)
      else { continue }
      for task in tasks { task.deviceDown(number, reason: reason) }
    }
  }

  // MARK: Work

  /// Sends a part: its frame, its exchange, its shape and elements, and what was missing so far. Only
  /// the client is told what the attendance says already.
  package typealias Publish = (
    FrameKey, Int, Shape, UnsafeBufferPointer<Float>, FillReport
  ) -> Void

  /// Does one piece of work: finishes a boundary and runs the next segment of the oldest frame that
  /// can go on, or begins a frame.
  ///
  /// - Returns: nil if something was done; otherwise the time until which there is nothing to do.
  package func work(
    clock: () -> MonotonicTime,
    publish: Publish
  ) -> MonotonicTime? {
    let now = clock()
    noticeChanges(now: now)
    var wake = liveness.nextChange(after: now)
    for task in tasks {
      let progress = task.progress(now: now)
      for number in task.takeMissed() {
        liveness.missDeadline(of: names[number])
        for other in tasks { other.deviceDown(number, reason: .suspect) }
      }
      switch progress {
      case .waiting(let until): wake = min(wake, until)
      case .runnable:
        run(task, clock: clock, publish: publish)
        return nil
      case .finished:
        finish(task)
        return nil
      }
    }
    guard tasks.count < limits.framesInFlight, !pending.isEmpty else { return wake }
    let frame = pending.removeFirst()
    guard let engine = try? engines.engine(for: frame.roles) else {
      // Only without memory for it; the others fill what this device would have sent.
      counters.framesDropped += 1
      return nil
    }
    run(begin(frame, engine: engine, now: now), clock: clock, publish: publish)
    return nil
  }

  private func begin(
    _ frame: PendingFrame, engine: DeviceEngine, now: MonotonicTime
  ) -> FrameTask {
    if poolProgram != ObjectIdentifier(engine.compiled) {
      pool = []
      poolProgram = ObjectIdentifier(engine.compiled)
    }
    let execution = pool.popLast() ?? Execution(engine.compiled)
    execution.withMutableValue(engine.program.graph.inputs[0]) {
      _ = $0.update(fromContentsOf: frame.input)
    }
    let task = FrameTask(
      key: frame.key, engine: engine, execution: execution, roles: frame.roles,
      devices: names.indices.map { gatherDevice($0, role: frame.roles.roles[$0], now: now) },
      rule: .afterOwnPart(limits.deadlineNanoseconds), now: now)
    tasks.append(task)
    for part in clients[frame.key.client]?.inbox.begin(frame: frame.key.frame) ?? [] {
      let arrival = task.receive(
        .floats(part.elements), exchange: part.exchange, device: part.device, epoch: part.epoch,
        now: now)
      if arrival.isKept { task.merge(part.report) }
    }
    return task
  }

  /// Waits for whom the client counts on, unless it is known here that they are down.
  private func gatherDevice(
    _ number: Int, role: Attendance.Role, now: MonotonicTime
  ) -> GatherState.Device {
    guard number != device else { return GatherState.Device() }
    let state = liveness.state(of: names[number], at: now)
    let down: MissingReason?
    switch role {
    case .absent: down = state.missingReason ?? .lost
    case .probed: down = .suspect
    case .awaited: down = state == .unknown ? nil : state.missingReason
    }
    return GatherState.Device(epoch: liveness.epoch(of: names[number]) ?? 0, down: down)
  }

  private func run(
    _ task: FrameTask, clock: () -> MonotonicTime,
    publish: Publish
  ) {
    task.runSegment(
      now: clock,
      publish: { publication, part in
        let shape = task.engine.program.graph[publication.value].shape
        let report = lastExchanges.contains(publication.exchange) ? task.fills : task.surprises
        publish(task.key, publication.exchange, shape, part, report)
      })
  }

  private func finish(_ task: FrameTask) {
    tasks.removeAll { $0 === task }
    if pool.count < limits.framesInFlight,
      poolProgram == ObjectIdentifier(task.engine.compiled)
    {
      pool.append(task.execution)
    }
    counters.framesFinished += 1
    counters.lastFrame = max(counters.lastFrame, task.key.frame)
    for fill in task.fills.fills where fill.receiver == device {
      counters.fills[fill.reason.rawValue, default: 0] += 1
    }
    work.finished(task.times, fills: task.fills, receiver: device)
  }
}
