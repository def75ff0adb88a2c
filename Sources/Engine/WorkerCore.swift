package import Foundations
import Kernels
import ModelCards
import ModelGraph
package import Plan
import Tensors
package import WireProtocol

/// What a worker does with messages and time: which frames it computes, in which order, and what it
/// waits for. Knows neither sockets nor clocks; `Worker` feeds it.
package final class WorkerCore {
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

  let peer: PeerCore
  let device: Int
  let limits: Limits
  package internal(set) var counters = Counters()
  /// Where time and bytes went, since the meter last asked.
  package var work: WorkCounters
  /// Exchanges that the client gathers.
  let lastExchanges: Set<Int>
  private var clients: [String: ClientState] = [:]
  var inbox: FrameInbox<EarlyPart>
  private var pending: [PendingFrame] = []
  private var pendingBytes = 0
  /// See `takeSent`.
  var sent: [SentMark] = []
  /// See `takeSpoiled`.
  var spoiled: [String: Int] = [:]
  private let inputShape: Shape
  /// The shape of an input that comes as pixels; nil where none may.
  private let pixelShape: Shape?
  /// Whether an input may be just the rows that this device reads.
  private let takesRows: Bool
  private var frameDrops = DropLog<FrameDrop>()
  /// Why the last frame that had no program was dropped.
  private var programFailure: MartletError?

  package init(engines: DeviceEngines, planID: String, device: Int, limits: Limits) {
    let plan = engines.plan
    peer = PeerCore(
      engines: engines, planID: planID, device: device, deadline: limits.deadline,
      study: limits.study, executions: limits.framesInFlight)
    self.device = device
    self.limits = limits
    inputShape = plan.graph[plan.graph.inputs[0]].shape
    pixelShape = plan.model.preprocessing?.pixelShape(of: inputShape)
    takesRows = plan.dividesInput
    inbox = FrameInbox(
      limits: .init(
        framesAhead: limits.framesAhead, bytes: limits.bytes, bytesPerPeer: limits.bytesPerPeer))
    work = WorkCounters(exchanges: plan.exchanges.map(\.id))
    lastExchanges = Set(plan.possibleGatherings(device: nil))
  }

  /// The plan of the frames.
  package var plan: Plan { peer.plan }

  /// What is known of the other devices.
  package var liveness: Liveness { peer.liveness }

  /// Messages that were not used.
  package var drops: DropCounter<RejectReason> { peer.drops.counter }

  /// Frames here: begun and waiting.
  package var queueLength: Int { peer.tasks.count + pending.count }

  /// Bytes of inputs and parts that wait for their frames to begin.
  package var queuedBytes: Int { pendingBytes + inbox.bytes }

  /// Whether so much is waiting that clients should hold back.
  package var isFull: Bool {
    2 * queuedBytes > limits.bytes
      || 2 * inbox.largestPeer > limits.bytesPerPeer
      || 2 * pending.count > limits.pendingFrames
  }

  /// Computes once with nothing, so that the first frame does not wait for memory and caches.
  package func warmUp() throws(MartletError) {
    let engine = try peer.engines.engine(for: plan.usualAttendance(of: device))
    let execution = try peer.pool.take(for: engine)
    for stage in engine.stages.indices { execution.run(stage: stage) }
    peer.pool.give(execution, of: engine)
  }

  /// Gives up working memory that no frame has needed since the last call.
  package func tidy() { peer.pool.dropUnused() }

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
      guard header.plan == peer.planID else { return .wrongPlan }
      guard isInput(header.shape, isPixels: message.isPixels) else { return .wrongShape }
      guard let note = InputNote(text: header.note, devices: peer.names.count) else {
        return .garbage
      }
      heard(client, frame: header.frame, now: now)
      guard header.frame > clients[client]?.lastInput ?? 0 else { return .late }
      // Pixels or not is for the client to choose, frame by frame.
      if clients[client]?.assembler.shape != header.shape {
        clients[client]?.assembler = ChunkAssembler(shape: header.shape)
      }
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
      let elements = clients[client]?.assembler.withElements {
        message.isPixels ? plan.model.preprocessing?.normalised($0) ?? [] : Array($0)
      }
      enqueue(
        PendingFrame(
          key: FrameKey(client: client, frame: header.frame), roles: roles, input: elements ?? []),
        now: now)
      isTaken = true
      return nil
    }
    if let rejected { count(rejected, at: now) }
    return isTaken
  }

  /// Whether an input may have this shape: the model's, or fewer rows of it where devices read only some.
  private func isInput(_ shape: Shape, isPixels: Bool) -> Bool {
    guard let expected = isPixels ? pixelShape : inputShape else { return false }
    guard shape != expected else { return true }
    let axis = isPixels ? 1 : 2
    guard takesRows, shape.rank == expected.rank, (1...expected[axis]).contains(shape[axis]) else {
      return false
    }
    return shape.replacing(axis: axis, with: expected[axis]) == expected
  }

  /// Takes another device's part.
  package func part(_ payload: [UInt8], on topic: Topic, now: MonotonicTime) {
    peer.receive(payload, on: topic, now: now) { route($0, now: now) }
  }

  /// Takes word of another device.
  package func presence(_ presence: Presence, of name: String, now: MonotonicTime) {
    peer.liveness.receive(presence, of: name)
    noticeChanges(now: now)
  }

  /// Takes another device's heartbeat.
  package func heartbeat(_ heartbeat: Heartbeat, of name: String, now: MonotonicTime) {
    _ = peer.heartbeat(heartbeat, of: name, now: now)
  }

  /// The connection was lost, and parts with it.
  package func disconnected() { peer.arrivals.deliveries.connectionLost() }

  /// The own heartbeat has come back: the broker works, and the way to it.
  package func echo(now: MonotonicTime) { peer.liveness.heardAnybody(at: now) }

  /// Takes how late messages come here; see `EchoBook`.
  ///
  /// - Parameter lastRead: if they are late now, when anything came over the connection last, which may be a
  ///   piece of a tensor.
  package func listens(late lag: Duration, lastRead: MonotonicTime?) {
    peer.liveness.listens(late: lag, isBehind: lastRead != nil)
    if let lastRead { peer.arrivals.movement.passed(at: lastRead) }
  }

  /// Counts a message that was not used.
  package func count(_ reason: RejectReason, at now: MonotonicTime) {
    peer.drops.record(reason, at: now)
  }

  /// What to log about dropped messages: at most one line a second for each reason.
  package func takeDropLines(now: MonotonicTime) -> [DropCounter<RejectReason>.Line] {
    peer.drops.takeLines(now: now)
  }

  private func route(_ part: PartReceiver.ReceivedPart, now: MonotonicTime) -> RejectReason? {
    let header = part.header
    guard Identifier.isValid(header.client) else { return .garbage }
    guard
      let report = FillReport(
        text: header.note, exchanges: plan.exchanges.count, devices: peer.names.count)
    else { return .garbage }
    let key = FrameKey(client: header.client, frame: header.frame)
    let task = peer.task(key)
    guard part.isFinite else { return peer.refuse(part, task: task, now: now) }
    if task == nil { heard(header.client, frame: header.frame, now: now) }
    let isTrusted = peer.learn(
      from: part, of: key, isAhead: task?.expects(part.exchange) ?? inbox.isAhead(key),
      task: task, report: report, now: now)
    if let task {
      return peer.take(part, into: task, now: now) {
        peer.merge(report, isTrusted: isTrusted, into: task, now: now)
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

  /// The next frame to begin; nil if none is waiting.
  func nextPending() -> PendingFrame? { pending.isEmpty ? nil : takePending() }

  private func takePending() -> PendingFrame {
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
    for task in peer.tasks where isOld(task.key) {
      peer.pool.give(task.execution, of: task.engine)
      dropped(.overtaken, now: now)
    }
    peer.tasks.removeAll { isOld($0.key) }
  }

  func dropped(_ reason: FrameDrop, now: MonotonicTime) {
    counters.framesDropped += 1
    frameDrops.record(reason, at: now)
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
    frameDrops.takeLines(now: now)
  }

  /// What to log about parts that are kept back, or no longer: each once.
  package func takeDenials() -> [Denial.Notice] { peer.collectDenials() }

  /// Peers that went down are not waited for any more, in frames under way either.
  func noticeChanges(now: MonotonicTime) {
    for change in peer.liveness.changes(at: now) { peer.follow(change, at: now) }
  }
}
