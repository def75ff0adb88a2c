import Foundations
import Kernels
import ModelGraph
import Plan
import Tensors
import WireProtocol

/// One frame on its way through one engine: which stage is next, and what its boundary still lacks.
/// Used by workers and by clients; knows neither sockets nor clocks.
final class FrameTask {
  enum Progress: Equatable {
    /// Nothing to compute before `until`, unless parts arrive.
    case waiting(until: MonotonicTime)
    /// The next stage can run.
    case runnable
    /// All stages have run.
    case finished
  }

  let key: FrameKey
  let engine: DeviceEngine
  let execution: Execution
  let roles: Attendance
  /// What all devices had moved when it began, and which movement it knows of; see `MovementBook`.
  let movedBefore: UInt64
  var knownMovement = 0
  /// What is waited for, and until when.
  var boundary: Boundary
  /// What was missing here, and what others say was missing before their parts.
  private(set) var fills = FillReport()
  /// Of `fills`, the parts of devices that were to take part: what the attendance does not say.
  private(set) var surprises = FillReport()
  /// Where the time of each stage that has run went.
  private(set) var times: [StageTime] = []
  /// How many stages have run: the position of the next in `engine.stages`. The boundary counts stages
  /// as the plan does, of which this device may have fewer.
  private(set) var position = 0
  /// Values that are null: nothing came to compute them from. Only in vertical plans.
  private(set) var nulls: Set<ValueID> = []
  private let arrivals: Arrivals
  /// Parts that came before their boundary, by exchange.
  private var early: [Int: [(device: Int, epoch: UInt64, elements: [Float])]] = [:]
  /// Exchanges for which this device computed infinities or NaN.
  private(set) var ownSpoiled: Set<Int> = []
  /// Devices of which anything has come, usable or not.
  private(set) var heardFrom: Set<Int> = []

  init(
    key: FrameKey, engine: DeviceEngine, execution: Execution, roles: Attendance,
    devices: [GatherState.Device], waiting: Boundary.WaitStart, arrivals: Arrivals,
    now: MonotonicTime, until end: MonotonicTime = .distantFuture
  ) {
    self.key = key
    self.engine = engine
    self.execution = execution
    self.roles = roles
    self.arrivals = arrivals
    movedBefore = arrivals.movement.total
    boundary = Boundary(key: key, waiting: waiting, devices: devices, now: now, until: end)
  }

  /// Whether all stages have run and nothing is waited for.
  var isDone: Bool { position == engine.stages.count && boundary.isEmpty }

  /// The number under which this engine's fills are reported; see `FillReport.Lack.receiver`.
  var receiver: Int { engine.device ?? roles.roles.count }

  /// Whether another device takes part and sends something here.
  func gathers(from device: Int) -> Bool {
    device != engine.device && roles[device] != .absent
      && engine.program.gatherings.contains { $0.part(of: device) != nil }
  }

  /// Whether an exchange's boundary is still to come, or being waited at.
  func expects(_ exchange: Int) -> Bool {
    boundary.position(of: exchange) != nil || isAhead(exchange)
  }

  private func isAhead(_ exchange: Int) -> Bool {
    engine.stages[position...].contains { stage in
      stage.gatherings.contains { $0.exchange == exchange }
    }
  }

  /// Those of the boundary after the stage that ran last.
  private var gatherings: [DeviceProgram.Gathering] {
    position > 0 ? engine.stages[position - 1].gatherings : []
  }

  // MARK: Stages

  /// Runs the next stage and hands its parts to `publish`.
  func runStage(
    now: () -> MonotonicTime,
    publish: (DeviceProgram.Publication, UnsafeBufferPointer<Float>) -> Void
  ) {
    let stage = engine.stages[position]
    let start = now()
    execution.run(stage: position, nulls: &nulls)
    let computed = now()
    for publication in stage.publications {
      guard !nulls.contains(publication.value) else {
        publish(publication, UnsafeBufferPointer(start: nil, count: 0))
        continue
      }
      engine.withOwnPart(publication, in: execution) { part in
        if !PackedElements.areFinite(part) { ownSpoiled.insert(publication.exchange) }
        publish(publication, part)
      }
    }
    position += 1
    let sent = now()
    times.append(
      StageTime(
        exchange: stage.publications.first?.exchange ?? stage.gatherings.first?.exchange,
        compute: computed.duration(since: start), send: sent.duration(since: computed)))
    enterBoundary(stage, now: sent)
  }

  private func enterBoundary(_ stage: DeviceEngine.Stage, now: MonotonicTime) {
    boundary.enter(
      stage.expectations, now: now, book: &arrivals.book, keptBack: arrivals.deliveries.keptBack)
    for (index, gathering) in stage.gatherings.enumerated() {
      takeOwnPart(index, gathering)
      for part in early.removeValue(forKey: gathering.exchange) ?? [] {
        _ = receive(
          PartElements.floats(part.elements), exchange: gathering.exchange, device: part.device,
          epoch: part.epoch, now: now)
      }
    }
    for device in boundary.awaited { loseWhatWasSent(by: device, now: now) }
  }

  /// Of what a device has sent for this frame, it does not wait long for what is not here.
  func loseWhatWasSent(by device: Int, now: MonotonicTime) {
    guard device != engine.device, arrivals.book.followsMovement,
      let stage = arrivals.sent.reached(key, by: device)
    else { return }
    boundary.hasSent(device, before: stage, now: now)
  }

  /// All that this engine sends for the frame in stages before this one, as the plan counts them, has been
  /// handed to `publish`.
  var sentBefore: Int {
    engine.stages[position...].lazy.flatMap(\.publications)
      .compactMap { [plan = engine.plan] in plan.exchanges[$0.exchange].stage }.min()
      ?? SentMark.end
  }

  private func takeOwnPart(_ index: Int, _ gathering: DeviceProgram.Gathering) {
    guard let device = engine.device, let place = gathering.part(of: device),
      let own = engine.ownValue(of: gathering)
    else { return }
    guard !nulls.contains(own) else {
      return boundary.receiveOwn(index, from: device, isNull: true)
    }
    // Nobody else uses it either.
    guard !ownSpoiled.contains(gathering.exchange) else {
      return boundary.spoil(gathering.exchange, device: device)
    }
    execution.withValue(own) { part in
      for piece in place.pieces {
        engine.place(part, place, piece, gathering: gathering, in: execution)
      }
    }
    boundary.receiveOwn(index, from: device)
  }

  /// Whether a boundary is complete or given up, at `now`.
  func progress(now: MonotonicTime) -> Progress {
    let gatherings = gatherings
    switch boundary.progress(now: now, isFree: { isFree($1, of: gatherings[$0]) }) {
    case .waiting(let until): return .waiting(until: until)
    case .complete(let endings, let waited):
      for (gathering, ending) in zip(gatherings, endings) { complete(gathering, ending) }
      if let waited, !times.isEmpty { times[times.count - 1].wait = waited }
      return position < engine.stages.count ? .runnable : .finished
    }
  }

  private func complete(_ gathering: DeviceProgram.Gathering, _ ending: Boundary.Ending) {
    let lost = engine.complete(
      gathering, missing: ending.missing, in: execution, nulls: &nulls)
    let lacked = Set(lost.map { gathering.slots[$0].candidates[0] })
    for lack in ending.lacks {
      let fill = FillReport.Lack(
        exchange: gathering.exchange, device: lack.device, receiver: receiver,
        reason: lack.reason, isCovered: !lacked.contains(lack.device))
      fills.insert(fill)
      if roles[lack.device] != .absent { surprises.insert(fill) }
    }
  }

  /// Whether an exchange loses nothing if these slots stay without a copy.
  private func isFree(_ slots: [Int], of gathering: DeviceProgram.Gathering) -> Bool {
    if slots.isEmpty || engine.canRestore(slots, of: gathering) { return true }
    guard let study = arrivals.study else { return false }
    var missing = Set(fills.fills.map(\.device))
    for device in roles.roles.indices where roles[device] == .absent { missing.insert(device) }
    return study.isFree(
      Set(slots.map { gathering.slots[$0].candidates[0] }), besides: missing,
      plan: engine.plan, replicas: roles.replicas)
  }

  // MARK: Parts

  /// Takes a part. The elements are copied to their place, or kept if the boundary is still ahead.
  ///
  /// - Returns: nil for a part that nobody needs, because others stand in for its device.
  func receive(
    _ message: PartElements, exchange: Int, device: Int, epoch: UInt64, now: MonotonicTime
  ) -> GatherState.Arrival? {
    heardFrom.insert(device)
    guard let index = boundary.position(of: exchange) else {
      guard isAhead(exchange) else { return .late }
      guard early[exchange]?.contains(where: { $0.device == device }) != true else {
        return .duplicate
      }
      early[exchange, default: []].append((device, epoch, message.floats()))
      return .accepted
    }
    let receipt = boundary.receive(
      index, from: device, epoch: epoch, elements: message.count, now: now, book: arrivals.book)
    let gathering = gatherings[index]
    if !receipt.used.isEmpty, let part = gathering.part(of: device) {
      message.place(
        receipt.used.map { part.pieces[$0] }, of: part, gathering: gathering, engine: engine,
        in: execution)
    }
    return receipt.arrival
  }

  /// Something on an exchange's topic could not be used.
  func refuse(_ exchange: Int, device: Int) {
    heardFrom.insert(device)
    boundary.refuse(exchange, device: device)
  }

  /// What a device sent for an exchange cannot be used: it is not waited for there.
  func spoil(_ exchange: Int, device: Int) {
    heardFrom.insert(device)
    if expects(exchange) { boundary.spoil(exchange, device: device) }
  }

  /// What another device says was missing before a part that is used here. Others may have waited for
  /// it as well, and come late.
  ///
  /// - Parameter isTrusted: whether it is known to run well. One that has just come back from a long
  ///   stall blames everybody.
  /// - Returns: devices that somebody waited for in vain, and this task still waits for; see
  ///   `Boundary.blame`.
  func merge(_ report: FillReport, isTrusted: Bool, now: MonotonicTime) -> [Int: Bool] {
    guard !report.isEmpty else { return [:] }
    fills.merge(report)
    for fill in report.all where roles[fill.device] != .absent { surprises.insert(fill) }
    guard isTrusted else { return [:] }
    return boundary.blame(
      report.all.filter { $0.reason == .deadline },
      innocent: { [plan = engine.plan, arrivals, key] in
        arrivals.sent.hasLeft(plan.exchanges[$0.exchange].stage, of: key, from: $0.device)
      }, now: now, policy: arrivals.book.policy)
  }
}
