import Foundations
import Plan
import Resilience
import WireProtocol

/// Whoever gathers parts of others, worker or client: what both do with messages, with peers and with
/// the frames under way. What only one of them does is in `WorkerCore` and `ClientCore`, which each own
/// one. Knows neither sockets nor clocks.
final class PeerCore {
  let engines: DeviceEngines
  let plan: Plan
  let planID: String
  /// The devices' names, by number.
  let names: [String]
  /// The exchanges of which parts are read here.
  let gathered: Set<Int>
  let arrivals: Arrivals
  var liveness: Liveness
  /// Messages that were not used.
  var drops = DropLog<RejectReason>()
  /// The frames under way, the oldest first.
  var tasks: [FrameTask] = []
  var pool: ExecutionPool
  /// See `bytes(ofFrames:)`.
  let frameBytes: UInt64
  /// Whether a part of a later stage of a frame comes after those of earlier ones.
  let sendsInStages: Bool
  private var receiver: PartReceiver
  private let exchanges: [String: Int]

  /// - Parameters:
  ///   - device: the own number; nil for a client.
  ///   - executions: of ended frames, how many to keep for others.
  init(
    engines: DeviceEngines, planID: String, device: Int?, deadline: DeadlinePolicy,
    study: FailureTable?, executions: Int = .max
  ) {
    self.engines = engines
    plan = engines.plan
    self.planID = planID
    names = plan.devices.map(\.name)
    exchanges = Dictionary(
      plan.exchanges.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    frameBytes = Self.bytes(ofFrames: plan)
    sendsInStages = plan.sendsInStages
    arrivals = Arrivals(policy: deadline, devices: names.count, study: study)
    liveness = Liveness(devices: names.enumerated().filter { $0.offset != device }.map(\.element))
    gathered = Set(plan.possibleGatherings(device: device))
    receiver = PartReceiver(plan: plan, planID: planID, exchanges: gathered)
    pool = ExecutionPool(limit: executions)
  }

  /// The frame of that name, if it is under way.
  func task(_ key: FrameKey) -> FrameTask? { tasks.first { $0.key == key } }

  /// A frame has come to its end.
  func remove(_ task: FrameTask) {
    tasks.removeAll { $0 === task }
    hasEnded(task)
  }

  // MARK: Peers

  /// Takes a peer's heartbeat.
  ///
  /// - Returns: whether it is of the run that its presence has named.
  func heartbeat(_ heartbeat: Heartbeat, of name: String, now: MonotonicTime) -> Bool {
    let isUsed = liveness.heartbeat(
      of: name, epoch: heartbeat.epoch, promise: heartbeat.promise, at: now)
    if isUsed { went(name, on: heartbeat, now: now) }
    return isUsed
  }

  // MARK: Parts

  /// Reads a message with a part, and counts it if it is not used.
  ///
  /// - Parameter route: gets the part if the message completes one, and says why it is not used; nil if
  ///   it is.
  func receive(
    _ payload: [UInt8], on topic: Topic, now: MonotonicTime,
    route: (PartReceiver.ReceivedPart) -> RejectReason?
  ) {
    let sender = came(on: topic, now: now)
    let rejected = receiver.receive(
      payload, on: topic, knownEpoch: { liveness.epoch(of: $0) },
      piece: { liveness.piece(of: names[$0], epoch: $1, at: now) },
      body: { part in
        if let reason = route(part) { drops.record(reason, at: now) }
      })
    guard let rejected else {
      if let sender { arrivals.movement.came(payload.count, from: sender, at: now) }
      return
    }
    drops.record(rejected, at: now)
    if [.garbage, .wrongShape, .topicDisagrees].contains(rejected),
      case .activation(let layer, _) = topic, let exchange = exchanges[layer], let sender
    {
      for task in tasks { task.refuse(exchange, device: sender) }
    }
  }

  /// Learns from a part how late its device is, and that it lives.
  ///
  /// - Parameters:
  ///   - isAhead: see `ArrivalBook.arrived`.
  ///   - report: what the part says was missing before it.
  /// - Returns: whether its device was known to run well before the part brought it back.
  func learn(
    from part: PartReceiver.ReceivedPart, of key: FrameKey, isAhead: Bool, task: FrameTask?,
    report: FillReport?, now: MonotonicTime
  ) -> Bool {
    let epoch = part.header.epoch
    let timing = arrivals.book.arrived(
      part.exchange, from: part.device, epoch: epoch, of: key, isAhead: isAhead,
      isDelayed: task?.boundary.isDelayed == true || report?.blamesDeadline == true,
      stillness: task?.boundary.stillness(of: part.device, in: part.exchange, at: now), at: now)
    arrivals.sent.came(part.exchange, stage: nil, of: key, from: part.device, isUsed: false)
    let isTrusted = isTrusted(part.device, at: now)
    // What lay behind others' messages on its way here is not late.
    let isExcused = liveness.isBehind || liveness.isSlow(at: now)
    liveness.part(
      of: names[part.device], epoch: epoch, at: now,
      inTime: timing == .inTime || (timing == .late && isExcused))
    comesBack(part.device, now: now)
    return isTrusted
  }

  /// Gives a part to its frame.
  ///
  /// - Parameter used: called if the part is kept.
  /// - Returns: why it is not used; nil if it is, or nobody needs it.
  func take(
    _ part: PartReceiver.ReceivedPart, into task: FrameTask, now: MonotonicTime, used: () -> Void
  ) -> RejectReason? {
    switch task.receive(
      part.elements, exchange: part.exchange, device: part.device, epoch: part.header.epoch,
      now: now)
    {
    case .accepted, .reserve:
      came(part, into: task, now: now)
      used()
      return nil
    case nil: return nil
    case .duplicate: return .duplicate
    case .late, .early: return .late
    case .staleEpoch: return .staleEpoch
    case .unknownDevice: return .unknownDevice
    case .wrongSize: return .wrongShape
    }
  }

  /// A part holds infinities or NaN: of no use here or anywhere, and a reason to doubt its device.
  func refuse(_ part: PartReceiver.ReceivedPart, task: FrameTask?, now: MonotonicTime)
    -> RejectReason
  {
    distrust(part.device, now: now)
    task?.spoil(part.exchange, device: part.device)
    return .notFinite
  }

  /// Takes what was missing before a part that a frame uses.
  func merge(
    _ report: FillReport, isTrusted: Bool, into task: FrameTask, now: MonotonicTime
  ) {
    guard !report.isEmpty else { return }
    for (device, wasFree) in task.merge(report, isTrusted: isTrusted, now: now) {
      accuse(device, wasFree: wasFree, in: task, now: now)
    }
  }

  // MARK: Frames

  /// Looks how a frame stands, and learns who was waited for in vain.
  ///
  /// - Parameter wake: becomes the time of the next look, if that is earlier.
  func advance(
    _ task: FrameTask, now: MonotonicTime, wake: inout MonotonicTime
  ) -> FrameTask.Progress {
    let awaited = task.boundary.awaited
    followMovement(task, awaited: awaited, now: now)
    wake = min(wake, giveUpSilent(task, awaited: awaited, now: now))
    let progress = task.progress(now: now)
    for miss in task.boundary.takeMissed() { blame(miss, of: task) }
    if case .waiting(let until) = progress { wake = min(wake, until) }
    return progress
  }
}
