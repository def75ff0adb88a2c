import Kernels
import ModelGraph
import Plan
import TensorCore
import WireProtocol

/// From when on a boundary waits for parts.
enum WaitStart: Sendable {
  /// From the moment at which one's own part is ready (a worker).
  case ownPart
  /// From the first part that arrives, and never longer than the limit in nanoseconds (a client, which
  /// cannot know how long the devices compute).
  case firstPart(limit: UInt64)
}

/// One frame on its way through one engine: which segment is next, and what its boundary still lacks.
/// Used by workers and by clients; knows neither sockets nor clocks.
final class FrameTask {
  enum Progress: Equatable {
    /// Nothing to compute before `until`, unless parts arrive.
    case waiting(until: MonotonicTime)
    /// The next segment can run.
    case runnable
    /// All segments have run.
    case finished
  }

  /// A device that was waited for in vain.
  struct Miss: Hashable {
    var exchange: Int
    var device: Int
    /// Whether nothing was lost by it, so that it was not waited for as long as it would be worth.
    var wasFree = false
  }

  /// A boundary's exchange in progress.
  struct Gather {
    let gathering: DeviceProgram.Gathering
    var state: GatherState
    /// For a client: whether a part has come.
    var hasBegun = false
  }

  let key: FrameKey
  let engine: DeviceEngine
  let execution: Execution
  let roles: Attendance
  let started: MonotonicTime
  /// From when on a peer's silence counts: the beginning, and what this process was away later.
  private(set) var listeningSince: MonotonicTime
  /// What was missing here, and what others say was missing before their parts.
  private(set) var fills = FillReport()
  /// Of `fills`, the parts of devices that were to take part: what the attendance does not say.
  private(set) var surprises = FillReport()
  /// Where the time of each segment that has run went.
  private(set) var times: [SegmentTime] = []
  /// Values that are null: nothing came to compute them from. Only in vertical plans.
  private(set) var nulls: Set<ValueID> = []
  /// Since the last call of `takeMissed`.
  private var missed: Set<Miss> = []
  /// Whether somebody was waited for in vain, here or at a peer: others may come as late as a whole
  /// deadline from then on.
  var isDelayed = false
  /// Whether this frame ends before its deadlines because its caller is in a hurry, which raises no
  /// suspicion of devices.
  var isHurried = false
  /// For a client: whether nobody was alive when the frame was sent or since, so that it may be lost.
  var isDoubtful = false
  /// For a client: when the frame ends if nothing has come for it at all; see `expectNothing`.
  var emptyEnd = MonotonicTime.distantFuture
  let waiting: WaitStart
  let arrivals: Arrivals
  private var segment = 0
  var gathers: [Gather] = []
  var boundaryEntered: MonotonicTime?
  /// The stage of the last boundary.
  var stage = -1
  /// How many stages lie between the last boundaries: those before this device may wait in each.
  var stages: UInt64 = 1
  /// Parts that came before their boundary, by exchange.
  private var early: [Int: [(device: Int, epoch: UInt64, elements: [Float])]] = [:]
  /// Devices whose parts came before their boundary and cannot be used, by exchange.
  private var spoiled: [Int: Set<Int>] = [:]
  /// Exchanges for which this device computed infinities or NaN.
  private(set) var ownSpoiled: Set<Int> = []
  /// Devices of which anything has come, usable or not.
  private(set) var heardFrom: Set<Int> = []
  /// Devices known to be down, and since which epoch the others live.
  private var devices: [GatherState.Device]

  init(
    key: FrameKey, engine: DeviceEngine, execution: Execution, roles: Attendance,
    devices: [GatherState.Device], waiting: WaitStart, arrivals: Arrivals, now: MonotonicTime
  ) {
    self.key = key
    self.engine = engine
    self.execution = execution
    self.roles = roles
    self.devices = devices
    self.waiting = waiting
    self.arrivals = arrivals
    started = now
    listeningSince = now
  }

  /// The segment that has just run or runs next; for ordering and logs.
  var position: Int { segment }

  /// Whether all segments have run and nothing is waited for.
  var isDone: Bool { segment == engine.steps.count && gathers.isEmpty }

  /// Whether another device takes part and sends something here.
  func gathers(from device: Int) -> Bool {
    device != engine.device && roles[device] != .absent
      && engine.program.gatherings.contains { $0.part(of: device) != nil }
  }

  /// Whether an exchange's boundary is still to come, or being waited at.
  func expects(_ exchange: Int) -> Bool {
    gathers.contains { $0.gathering.exchange == exchange } || isAhead(exchange)
  }

  private func isAhead(_ exchange: Int) -> Bool {
    engine.steps[segment...].contains { step in
      step.gatherings.contains { $0.exchange == exchange }
    }
  }

  /// Runs the next segment and hands its parts to `publish`.
  func runSegment(
    now: () -> MonotonicTime,
    publish: (DeviceProgram.Publication, UnsafeBufferPointer<Float>) -> Void
  ) {
    let step = engine.steps[segment]
    let start = now()
    execution.run(segment: segment, nulls: &nulls)
    let computed = now()
    for publication in step.publications {
      guard !nulls.contains(publication.value) else {
        publish(publication, UnsafeBufferPointer(start: nil, count: 0))
        continue
      }
      engine.withOwnPart(publication, in: execution) { part in
        if !WireElements.areFinite(part) { ownSpoiled.insert(publication.exchange) }
        publish(publication, part)
      }
    }
    segment += 1
    let sent = now()
    times.append(
      SegmentTime(
        exchange: step.publications.first?.exchange ?? step.gatherings.first?.exchange,
        compute: computed.nanoseconds(since: start), send: sent.nanoseconds(since: computed)))
    enterBoundary(step.gatherings, now: sent)
  }

  /// Whether a boundary is complete or given up, at `now`.
  func progress(now: MonotonicTime) -> Progress {
    var next = MonotonicTime.distantFuture
    for index in gathers.indices {
      let gathering = gathers[index].gathering
      switch gathers[index].state.tick(now, isFree: { isFree($0, of: gathering) }) {
      case .wait(let until): next = min(next, until)
      case .complete, .degrade: break
      }
    }
    guard gathers.allSatisfy({ $0.state.finished != nil }) else { return .waiting(until: next) }
    leaveBoundary(now: now)
    return segment < engine.steps.count ? .runnable : .finished
  }

  /// Takes a part. The elements are copied to their place, or kept if the boundary is still ahead.
  ///
  /// - Returns: nil for a part that nobody needs, because others stand in for its device.
  func receive(
    _ message: PartElements, exchange: Int, device: Int, epoch: UInt64, now: MonotonicTime
  ) -> GatherState.Arrival? {
    heardFrom.insert(device)
    guard let index = gathers.firstIndex(where: { $0.gathering.exchange == exchange }) else {
      guard isAhead(exchange) else { return .late }
      guard early[exchange]?.contains(where: { $0.device == device }) != true else {
        return .duplicate
      }
      early[exchange, default: []].append((device, epoch, message.floats()))
      return .accepted
    }
    beginWaiting(index, now: now)
    let gathering = gathers[index].gathering
    guard let part = gathering.part(of: device) else { return nil }
    let isNull = message.count == 0 && engine.plan.exchanges[exchange].isWhole
    guard isNull || message.count == part.shape.count else { return .wrongSize }
    var result: GatherState.Arrival?
    var used: [DeviceProgram.Part.Piece] = []
    for piece in part.pieces {
      let arrival = gathers[index].state.receive(
        slot: piece.slot, from: device, frame: key.frame, epoch: epoch,
        elements: isNull ? 0 : elements(piece.slot, of: part, gathering))
      if result != .accepted { result = arrival }
      // A copy that is worse than one that is here already must not overwrite it.
      if arrival.isKept, gathers[index].state.source(of: piece.slot) == device {
        used.append(piece)
      }
    }
    if !used.isEmpty {
      message.place(used, of: part, gathering: gathering, engine: engine, in: execution)
    }
    return result
  }

  /// Something on an exchange's topic could not be used.
  func refuse(_ exchange: Int, device: Int) {
    heardFrom.insert(device)
    for index in gathers.indices where gathers[index].gathering.exchange == exchange {
      gathers[index].state.refuse(device: device)
    }
  }

  /// What a device sent for an exchange cannot be used: it is not waited for there.
  func spoil(_ exchange: Int, device: Int) {
    heardFrom.insert(device)
    if let index = gathers.firstIndex(where: { $0.gathering.exchange == exchange }) {
      gathers[index].state.spoil(device: device)
    } else if isAhead(exchange) {
      spoiled[exchange, default: []].insert(device)
    }
  }

  /// A device went down: nobody waits for it any more in this frame.
  func deviceDown(_ device: Int, reason: MissingReason) {
    devices[device].down = reason
    for index in gathers.indices { gathers[index].state.deviceDown(device, reason: reason) }
  }

  /// A device was late where nothing was lost by it: it is only waited for where something is.
  func deviceDoubted(_ device: Int) {
    devices[device].isDoubted = true
    for index in gathers.indices { gathers[index].state.deviceDoubted(device) }
  }

  /// Devices whose parts are lacking now and not given up.
  var awaited: Set<Int> {
    gathers.reduce(into: []) { result, gather in
      if gather.state.finished == nil { result.formUnion(gather.state.wanted) }
    }
  }

  /// Whether an exchange loses nothing if these slots stay without a copy.
  private func isFree(_ slots: [Int], of gathering: DeviceProgram.Gathering) -> Bool {
    if slots.isEmpty || engine.canRestore(slots, of: gathering) { return true }
    guard let study = arrivals.study else { return false }
    var missing = Set(fills.fills.map(\.device))
    for device in devices.indices where roles[device] == .absent { missing.insert(device) }
    return study.isFree(
      Set(slots.map { gathering.slots[$0].candidates[0] }), besides: missing,
      plan: engine.plan, replicas: roles.replicas)
  }

  /// The number under which this engine's fills are reported; see `FillReport.Fill.receiver`.
  var receiver: Int { engine.device ?? devices.count }

  /// What another device says was missing before a part that is used here. Others may have waited for
  /// it as well, and come late.
  ///
  /// - Parameter isTrusted: whether it is known to run well. One that has just come back from a long
  ///   stall blames everybody.
  /// - Returns: devices that somebody waited for in vain, and this task still waits for: in the same
  ///   exchange, or, for a client, which gathers only the last one, in any; with whether nothing was
  ///   lost by it there.
  func merge(_ report: FillReport, isTrusted: Bool, now: MonotonicTime) -> [Int: Bool] {
    guard !report.isEmpty else { return [:] }
    fills.merge(report)
    for fill in report.all where roles[fill.device] != .absent { surprises.insert(fill) }
    let late = report.all.filter { $0.reason == .deadline }
    guard isTrusted, !late.isEmpty else { return [:] }
    let accused = late.filter { fill in
      devices[fill.device].down == nil
        && gathers.contains { gather in
          (engine.device == nil || gather.gathering.exchange == fill.exchange)
            && !gather.state.hasPart(of: fill.device)
        }
    }
    let guilty = Dictionary(accused.map { ($0.device, $0.isCovered) }) { $0 && $1 }
    if !isDelayed {
      isDelayed = true
      for index in gathers.indices { extendWaits(index, from: now, but: Set(guilty.keys)) }
    }
    return guilty
  }

  /// Its input may be lost, for nobody was there when it was sent: unless a part comes, it ends at `end`.
  /// No device is to blame for that.
  func expectNothing(after end: MonotonicTime) {
    isHurried = true
    emptyEnd = end
    for index in gathers.indices where !gathers[index].hasBegun {
      gathers[index].state.stopWaiting(at: end)
    }
  }

  /// This process could not listen for some nanoseconds: everybody gets them.
  func postpone(by nanoseconds: UInt64) {
    listeningSince = listeningSince.adding(nanoseconds: nanoseconds)
    for index in gathers.indices { gathers[index].state.postpone(by: nanoseconds) }
  }

  /// Devices that were waited for in vain since the last call.
  func takeMissed() -> Set<Miss> {
    guard !missed.isEmpty else { return [] }
    defer { missed = [] }
    return isHurried ? [] : missed
  }

  private func elements(
    _ slot: Int, of part: DeviceProgram.Part, _ gathering: DeviceProgram.Gathering
  ) -> Int {
    // A part that is one slot may have channels that nobody reads.
    part.pieces.count == 1
      ? part.shape.count
      : gathering.slots[slot].count * (part.shape.count / part.shape[gathering.axis])
  }

  private func enterBoundary(_ gatherings: [DeviceProgram.Gathering], now: MonotonicTime) {
    boundaryEntered = gatherings.isEmpty ? nil : now
    countStages(gatherings)
    gathers = gatherings.map { gathering in
      let slots = gathering.slots.indices.map { slot in
        GatherState.Slot(
          elements: gathering.parts.first { $0.pieces.contains { $0.slot == slot } }
            .map { elements(slot, of: $0, gathering) } ?? 0,
          candidates: gathering.slots[slot].candidates)
      }
      return Gather(
        gathering: gathering,
        state: GatherState(
          frame: key.frame, slots: slots, devices: devices, deadline: .distantFuture))
    }
    for index in gathers.indices {
      setWaits(index, entered: now)
      let exchange = gathers[index].gathering.exchange
      for device in spoiled.removeValue(forKey: exchange) ?? [] {
        gathers[index].state.spoil(device: device)
      }
      takeOwnPart(index)
      for part in early.removeValue(forKey: exchange) ?? [] {
        _ = receive(
          PartElements.floats(part.elements), exchange: exchange, device: part.device,
          epoch: part.epoch, now: now)
      }
    }
  }

  private func takeOwnPart(_ index: Int) {
    let gathering = gathers[index].gathering
    guard let device = engine.device, let place = gathering.part(of: device),
      let own = engine.program.publications.first(where: { $0.exchange == gathering.exchange })
    else { return }
    guard !nulls.contains(own.value) else {
      for piece in place.pieces {
        _ = gathers[index].state.receive(
          slot: piece.slot, from: device, frame: key.frame, epoch: devices[device].epoch,
          elements: 0)
      }
      return
    }
    // Nobody else uses it either.
    guard !ownSpoiled.contains(own.exchange) else {
      return gathers[index].state.spoil(device: device)
    }
    engine.withOwnPart(own, in: execution) { part in
      for piece in place.pieces {
        engine.place(part, place, piece, gathering: gathering, in: execution)
        _ = gathers[index].state.receive(
          slot: piece.slot, from: device, frame: key.frame, epoch: devices[device].epoch,
          elements: elements(piece.slot, of: place, gathering))
      }
    }
  }

  private func leaveBoundary(now: MonotonicTime) {
    for gather in gathers {
      let exchange = gather.gathering.exchange
      let (gone, late) = (gather.state.missedDeadlines, gather.state.lateButFree)
      missed.formUnion(gone.map { Miss(exchange: exchange, device: $0) })
      missed.formUnion(late.map { Miss(exchange: exchange, device: $0, wasFree: true) })
      if !gone.isEmpty || !late.isEmpty { isDelayed = true }
      let slots = gather.gathering.slots
      let missing = slots.indices.filter { gather.state.source(of: $0) == nil }
      let lost = engine.fill(missing, gathering: gather.gathering, in: execution)
      if engine.plan.exchanges[exchange].isWhole, missing.count == slots.count {
        nulls.insert(engine.program.graph.nodes[gather.gathering.node].output)
      }
      let lacked = Set(lost.map { slots[$0].candidates[0] })
      for part in gather.gathering.parts where gather.state.lacks(part.device) {
        let fill = FillReport.Fill(
          exchange: exchange, device: part.device, receiver: receiver,
          reason: gather.state.reason(for: part.device), isCovered: !lacked.contains(part.device))
        fills.insert(fill)
        if roles[part.device] != .absent { surprises.insert(fill) }
      }
    }
    gathers = []
    if let entered = boundaryEntered {
      if !times.isEmpty { times[times.count - 1].wait = now.nanoseconds(since: entered) }
      boundaryEntered = nil
    }
  }
}
