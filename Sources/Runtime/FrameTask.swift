import Kernels
import Plan
import TensorCore
import WireProtocol

/// Names a frame: clients number their own.
package struct FrameKey: Hashable, Sendable {
  package var client: String
  package var frame: UInt64

  package init(client: String, frame: UInt64) {
    self.client = client
    self.frame = frame
  }
}

/// How long a boundary waits for parts, in nanoseconds.
package enum DeadlineRule: Sendable {
  /// From the moment at which one's own part is ready (a worker).
  case afterOwnPart(UInt64)
  /// From the first part that arrives, and never longer than the limit (a client, which cannot know
  /// how long the devices compute).
  case afterFirstPart(UInt64, limit: UInt64)
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

  /// A boundary's exchange in progress.
  private struct Gather {
    let gathering: DeviceProgram.Gathering
    var state: GatherState
    /// Slot number by device; nil where a device has no part.
    let slots: [Int?]
  }

  let key: FrameKey
  let engine: DeviceEngine
  let execution: Execution
  let roles: Attendance
  let started: MonotonicTime
  /// What was missing here, and what others say was missing before their parts.
  private(set) var fills = FillReport()
  /// Of `fills`, the parts of devices that were to take part: what the attendance does not say.
  private(set) var surprises = FillReport()
  /// Where the time of each segment that has run went.
  private(set) var times: [SegmentTime] = []
  /// Devices whose deadline passed, since the last call of `takeMissed`.
  private var missed: Set<Int> = []
  private let rule: DeadlineRule
  private var segment = 0
  private var gathers: [Gather] = []
  private var boundaryEntered: MonotonicTime?
  /// Parts that came before their boundary, by exchange.
  private var early: [Int: [(device: Int, epoch: UInt64, elements: [Float])]] = [:]
  /// Devices known to be down, and since which epoch the others live.
  private var devices: [GatherState.Device]

  init(
    key: FrameKey, engine: DeviceEngine, execution: Execution, roles: Attendance,
    devices: [GatherState.Device], rule: DeadlineRule, now: MonotonicTime
  ) {
    self.key = key
    self.engine = engine
    self.execution = execution
    self.roles = roles
    self.devices = devices
    self.rule = rule
    started = now
  }

  /// The segment that has just run or runs next; for ordering and logs.
  var position: Int { segment }

  /// Runs the next segment and hands its parts to `publish`.
  func runSegment(
    now: () -> MonotonicTime,
    publish: (DeviceProgram.Publication, UnsafeBufferPointer<Float>) -> Void
  ) {
    let step = engine.steps[segment]
    let start = now()
    execution.run(segment: segment)
    let computed = now()
    for publication in step.publications {
      engine.withOwnPart(publication, in: execution) { publish(publication, $0) }
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
      switch gathers[index].state.tick(now) {
      case .wait(let until): next = min(next, until)
      case .complete, .degrade: break
      }
    }
    guard gathers.allSatisfy({ $0.state.finished != nil }) else { return .waiting(until: next) }
    leaveBoundary(now: now)
    return segment < engine.steps.count ? .runnable : .finished
  }

  /// Takes a part. The elements are copied to their place, or kept if the boundary is still ahead.
  func receive(
    _ message: PartElements, exchange: Int, device: Int, epoch: UInt64, now: MonotonicTime
  ) -> GatherState.Arrival {
    guard let index = gathers.firstIndex(where: { $0.gathering.exchange == exchange }) else {
      let isAhead = engine.steps[segment...].contains { step in
        step.gatherings.contains { $0.exchange == exchange }
      }
      guard isAhead else { return .late }
      guard early[exchange]?.contains(where: { $0.device == device }) != true else {
        return .duplicate
      }
      early[exchange, default: []].append((device, epoch, message.floats()))
      return .accepted
    }
    guard let slot = gathers[index].slots[device] else { return .unknownDevice }
    let arrival = gathers[index].state.receive(
      slot: slot, from: device, frame: key.frame, epoch: epoch, elements: message.count)
    if arrival.isKept, let part = gathers[index].gathering.part(of: device) {
      message.place(part, gathering: gathers[index].gathering, engine: engine, in: execution)
      if case .afterFirstPart(let wait, let limit) = rule {
        let entered = boundaryEntered ?? started
        gathers[index].state.deadline = min(
          gathers[index].state.deadline,
          min(now.adding(nanoseconds: wait), entered.adding(nanoseconds: limit)))
      }
    }
    return arrival
  }

  /// A device went down: nobody waits for it any more in this frame.
  func deviceDown(_ device: Int, reason: MissingReason) {
    devices[device].down = reason
    for index in gathers.indices { gathers[index].state.deviceDown(device, reason: reason) }
  }

  /// What another device says was missing before a part that is used here.
  func merge(_ report: FillReport) {
    guard !report.isEmpty else { return }
    fills.merge(report)
    for fill in report.fills where roles[fill.device] != .absent { surprises.insert(fill) }
  }

  /// The number under which this engine's fills are reported; see `FillReport.Fill.receiver`.
  var receiver: Int { engine.device ?? devices.count }

  /// Devices that were waited for in vain since the last call.
  func takeMissed() -> Set<Int> {
    defer { missed = [] }
    return missed
  }

  private func enterBoundary(_ gatherings: [DeviceProgram.Gathering], now: MonotonicTime) {
    boundaryEntered = gatherings.isEmpty ? nil : now
    let deadline: MonotonicTime
    switch rule {
    case .afterOwnPart(let wait): deadline = now.adding(nanoseconds: wait)
    case .afterFirstPart(_, let limit): deadline = now.adding(nanoseconds: limit)
    }
    gathers = gatherings.map { gathering in
      var numbers = [Int?](repeating: nil, count: devices.count)
      for (slot, part) in gathering.parts.enumerated() { numbers[part.device] = slot }
      let slots = gathering.parts.map {
        GatherState.Slot(elements: $0.shape.count, candidates: [$0.device])
      }
      return Gather(
        gathering: gathering,
        state: GatherState(frame: key.frame, slots: slots, devices: devices, deadline: deadline),
        slots: numbers)
    }
    for index in gathers.indices {
      takeOwnPart(index)
      let exchange = gathers[index].gathering.exchange
      for part in early.removeValue(forKey: exchange) ?? [] {
        _ = receive(
          PartElements.floats(part.elements), exchange: exchange, device: part.device,
          epoch: part.epoch, now: now)
      }
    }
  }

  private func takeOwnPart(_ index: Int) {
    let gathering = gathers[index].gathering
    guard let device = engine.device, let slot = gathers[index].slots[device],
      let place = gathering.part(of: device),
      let own = engine.program.publications.first(where: { $0.exchange == gathering.exchange })
    else { return }
    engine.withOwnPart(own, in: execution) { part in
      engine.place(part, place, gathering: gathering, in: execution)
      _ = gathers[index].state.receive(
        slot: slot, from: device, frame: key.frame, epoch: devices[device].epoch,
        elements: part.count)
    }
  }

  private func leaveBoundary(now: MonotonicTime) {
    for gather in gathers {
      guard case .degrade(let missing) = gather.state.finished else { continue }
      for part in missing {
        engine.fill(
          gather.gathering.parts[part.slot], gathering: gather.gathering, in: execution)
        if part.reason == .deadline { missed.insert(part.device) }
        let fill = FillReport.Fill(
          exchange: gather.gathering.exchange, device: part.device, receiver: receiver,
          reason: part.reason)
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

/// The elements of a part, as received or as kept.
enum PartElements {
  /// A whole part in one message, still encoded.
  case message(TensorMessage)
  /// Decoded elements.
  case floats([Float])

  var count: Int {
    switch self {
    case .message(let message): message.count
    case .floats(let elements): elements.count
    }
  }

  /// The elements, decoded.
  func floats() -> [Float] {
    switch self {
    case .floats(let elements): return elements
    case .message(let message):
      return [Float](unsafeUninitializedCapacity: message.count) { buffer, initialised in
        message.copyElements(
          into: UnsafeMutableBufferPointer(rebasing: buffer[..<message.count]))
        initialised = message.count
      }
    }
  }

  /// Writes the elements to their place in the gathered value: one copy where that place is one run.
  func place(
    _ part: DeviceProgram.Part, gathering: DeviceProgram.Gathering, engine: DeviceEngine,
    in execution: Execution
  ) {
    if case .message(let message) = self,
      engine.withRun(of: part, gathering: gathering, in: execution, message.copyElements)
    {
      return
    }
    floats().withUnsafeBufferPointer {
      engine.place($0, part, gathering: gathering, in: execution)
    }
  }
}
