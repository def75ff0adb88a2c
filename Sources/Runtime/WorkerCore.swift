import Kernels
import ModelGraph
import Plan
package import TensorCore
package import WireProtocol

/// What a worker does with messages and time: which frames it computes, in which order, and what it
/// waits for. Knows neither sockets nor clocks; `Worker` feeds it.
package final class WorkerCore: Gatherer {
  struct EarlyPart: Sendable {
    var exchange: Int
    var device: Int
    var epoch: UInt64
    var elements: [Float]
    var report: FillReport
  }

  struct PendingFrame {
    var key: FrameKey
    var roles: Attendance
    var input: [Float]
    var bytes: Int { input.count * 4 }
  }

  private struct ClientState {
    var assembler: ChunkAssembler
    var lastInput: UInt64 = 0
    var lastHeard: MonotonicTime
  }

  let engines: DeviceEngines
  let plan: Plan
  let planID: String
  let device: Int
  let limits: Limits
  package internal(set) var liveness: Liveness
  package internal(set) var counters = Counters()
  package private(set) var drops = DropCounter<RejectReason>()
  /// Where time and bytes went, since the meter last asked.
  var work: WorkCounters
  private var receiver: PartReceiver
  /// Exchanges that the client gathers.
  let lastExchanges: Set<Int>
  private var clients: [String: ClientState] = [:]
  var inbox: FrameInbox<EarlyPart>
  var pending: [PendingFrame] = []
  private var pendingBytes = 0
  var tasks: [FrameTask] = []
  /// See `takeSpoiled`.
  var spoiled: [String: Int] = [:]
  /// Working memory of the last frames' program, for frames with the same attendance.
  var pool: [Execution] = []
  var poolProgram: ObjectIdentifier?
  let names: [String]
  private let exchanges: [String: Int]
  private let inputShape: Shape
  let arrivals: Arrivals
  let gathered: Set<Int>
  private var frameDrops = DropCounter<FrameDrop>()
  private var frameDropLines: [DropCounter<FrameDrop>.Line] = []
  /// Why the last frame that had no program was dropped.
  private var programFailure: MartletError?

  package init(engines: DeviceEngines, planID: String, device: Int, limits: Limits) {
    self.engines = engines
    plan = engines.plan
    self.planID = planID
    self.device = device
    self.limits = limits
    names = plan.devices.map(\.name)
    inputShape = plan.graph[plan.graph.inputs[0]].shape
    exchanges = Dictionary(
      plan.exchanges.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    arrivals = Arrivals(policy: limits.deadline, devices: names.count, study: limits.study)
    inbox = FrameInbox(
      limits: .init(
        framesAhead: limits.framesAhead, bytes: limits.bytes, bytesPerPeer: limits.bytesPerPeer))
    liveness = Liveness(devices: names.enumerated().filter { $0.offset != device }.map(\.element))
    work = WorkCounters(exchanges: plan.exchanges.map(\.id))
    gathered = Set(plan.possibleGatherings(device: device))
    receiver = PartReceiver(plan: plan, planID: planID, exchanges: gathered)
    lastExchanges = Set(plan.possibleGatherings(device: nil))
  }

  /// Frames here: begun and waiting.
  package var queueLength: Int { tasks.count + pending.count }

  /// Bytes of inputs and parts that wait for their frames to begin.
  var queuedBytes: Int { pendingBytes + inbox.bytes }

  /// Whether so much is waiting that clients should hold back.
  package var isFull: Bool {
    2 * queuedBytes > limits.bytes
      || 2 * inbox.largestPeer > limits.bytesPerPeer
      || 2 * pending.count > limits.pendingFrames
  }

  /// Computes once with nothing, so that the first frame does not wait for memory and caches.
  package func warmUp() throws(MartletError) {
    let engine = try engines.engine(for: .everyone(names.count))
    let execution = try Execution(engine.compiled)
    for segment in engine.steps.indices { execution.run(segment: segment) }
    pool = [execution]
    poolProgram = ObjectIdentifier(engine.compiled)
  }

  // MARK: Messages

  /// Takes a frame's input, whole or in chunks.
  ///
  /// - Returns: whether this device will compute the frame.
  @discardableResult
  package func input(_ payload: [UInt8], client: String, now: MonotonicTime) -> Bool {
    var isTaken = false
    let rejected: RejectReason? = payload.withUnsafeBytes { bytes in
      guard let message = try? TensorMessage(decoding: bytes) else { return .garbage }
      let header = message.header
      guard header.device == client else { return .topicDisagrees }
      guard header.plan == planID else { return .wrongPlan }
      guard header.shape == inputShape else { return .wrongShape }
      guard let note = InputNote(text: header.note, devices: names.count) else { return .garbage }
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
      dropFrames(of: client, before: min(note.oldest, header.frame), now: now)
      let roles = note.attendance
      guard roles.roles[device] != .absent else {
        counters.framesSkipped += 1
        return nil
      }
      let elements = clients[client]?.assembler.withElements { Array($0) } ?? []
      enqueue(
        PendingFrame(
          key: FrameKey(client: client, frame: header.frame), roles: roles, input: elements),
        now: now)
      isTaken = true
      return nil
    }
    if let rejected { count(rejected, at: now) }
    return isTaken
  }

  /// Takes another device's part.
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

  /// Takes word of another device.
  package func presence(_ presence: Presence, of name: String, now: MonotonicTime) {
    liveness.receive(presence, of: name)
    noticeChanges(now: now)
  }

  /// Takes another device's heartbeat.
  package func heartbeat(_ heartbeat: Heartbeat, of name: String, now: MonotonicTime) {
    let isUsed = liveness.heartbeat(
      of: name, epoch: heartbeat.epoch, promise: heartbeat.promise, at: now)
    if isUsed { went(name, on: heartbeat) }
  }

  /// The connection was lost, and parts with it.
  package func disconnected() { arrivals.deliveries.connectionLost() }

  /// The own heartbeat has come back: the broker works, and the way to it.
  package func echo(now: MonotonicTime) { liveness.heardAnybody(at: now) }

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
    let task = tasks.first { $0.key == key }
    guard part.isFinite else {
      distrust(part.device, now: now)
      task?.spoil(part.exchange, device: part.device)
      return .notFinite
    }
    if task == nil { heard(header.client, frame: header.frame, now: now) }
    let timing = arrivals.book.arrived(
      part.exchange, from: part.device, epoch: header.epoch, of: key,
      isAhead: task?.expects(part.exchange) ?? inbox.isAhead(key),
      isDelayed: task?.isDelayed == true || report.blamesDeadline, at: now)
    // Before the part itself brings its sender back.
    let isTrusted = liveness.state(of: names[part.device], at: now) == .alive
    liveness.part(
      of: names[part.device], epoch: header.epoch, at: now, inTime: timing == .inTime)
    if let task {
      switch task.receive(
        part.elements, exchange: part.exchange, device: part.device, epoch: header.epoch, now: now)
      {
      case .accepted, .reserve:
        merge(report, isTrusted: isTrusted, into: task, now: now)
        return nil
      case nil: return nil
      case .duplicate: return .duplicate
      case .late, .early: return .late
      case .staleEpoch: return .staleEpoch
      case .unknownDevice: return .unknownDevice
      case .wrongSize: return .wrongShape
      }
    }
    let early = EarlyPart(
      exchange: part.exchange, device: part.device, epoch: header.epoch,
      elements: part.elements.floats(), report: report)
    switch inbox.store(early, of: key, from: part.device, bytes: early.elements.count * 4) {
    case .stored: return nil
    case .notAhead: return .late
    case .tooFarAhead: return .tooFarAhead
    case .full: return .noRoom
    }
  }

  /// Makes sure that there is a state for a client, forgetting the quietest one if there are many.
  private func heard(_ client: String, frame: UInt64, now: MonotonicTime) {
    if clients[client] == nil {
      if clients.count >= limits.clients,
        let quietest = clients.min(by: { $0.value.lastHeard < $1.value.lastHeard })?.key
      {
        clients[quietest] = nil
        inbox.close(quietest)
      }
      clients[client] = ClientState(
        assembler: ChunkAssembler(shape: inputShape), lastHeard: now)
      inbox.open(client, at: frame - min(frame, UInt64(limits.framesAhead / 2)))
    }
    clients[client]?.lastHeard = now
  }

  private func enqueue(_ frame: PendingFrame, now: MonotonicTime) {
    pending.append(frame)
    pendingBytes += frame.bytes
    while pending.count > limits.pendingFrames
      || (pending.count > 1 && pendingBytes + inbox.bytes > limits.bytes)
    {
      let oldest = takePending()
      inbox.skip(oldest.key.client, to: oldest.key.frame)
      dropped(.noRoom, now: now)
    }
  }

  func takePending() -> PendingFrame {
    let frame = pending.removeFirst()
    pendingBytes -= frame.bytes
    return frame
  }

  /// Drops a client's frames that it no longer waits for, begun or not, with all their parts.
  private func dropFrames(of client: String, before oldest: UInt64, now: MonotonicTime) {
    guard oldest > 0 else { return }
    inbox.skip(client, to: oldest - 1)
    func isOld(_ key: FrameKey) -> Bool { key.client == client && key.frame < oldest }
    for frame in pending where isOld(frame.key) {
      pendingBytes -= frame.bytes
      dropped(.overtaken, now: now)
    }
    pending.removeAll { isOld($0.key) }
    for task in tasks where isOld(task.key) {
      recycle(task)
      dropped(.overtaken, now: now)
    }
    tasks.removeAll { isOld($0.key) }
  }

  func dropped(_ reason: FrameDrop, now: MonotonicTime) {
    counters.framesDropped += 1
    if let line = frameDrops.record(reason, at: now) { frameDropLines.append(line) }
  }

  /// A frame cannot run: there is no memory for its program, or something is wrong with it.
  func dropped(for error: MartletError, now: MonotonicTime) {
    programFailure = error
    dropped(error.code == .resourceExhausted ? .noMemory : .noProgram, now: now)
  }

  /// Why a frame's program could not be made or run, if that happened since the last call.
  package func takeProgramFailure() -> MartletError? {
    defer { programFailure = nil }
    return programFailure
  }

  /// What to log about whole frames that were dropped.
  package func takeFrameDropLines(now: MonotonicTime) -> [DropCounter<FrameDrop>.Line] {
    defer { frameDropLines = [] }
    return frameDropLines + frameDrops.due(at: now)
  }

  /// What to log about parts that are kept back, or no longer: each once.
  package func takeDenials() -> [Denial.Notice] { collectDenials() }

  /// Peers that went down are not waited for any more, in frames under way either.
  func noticeChanges(now: MonotonicTime) {
    for change in liveness.changes(at: now) {
      // A draining peer finishes the frames under way.
      guard let reason = change.to.missingReason, change.to != .unknown, change.to != .draining,
        let number = names.firstIndex(of: change.device)
      else { continue }
      goesDown(number, reason: reason, at: now)
    }
  }
}
