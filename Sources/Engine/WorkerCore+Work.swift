package import Foundations
import Kernels
import ModelGraph
import Plan
package import Tensors
package import WireProtocol

/// What a worker computes, in which order, and what it waits for.
extension WorkerCore {
  /// Sends a part: its frame, its exchange, its shape and elements, and what was missing so far. Only
  /// the client is told what the attendance says already.
  package typealias Publish = (
    FrameKey, Int, Shape, UnsafeBufferPointer<Float>, FillReport
  ) -> Void

  /// Does one piece of work: finishes a boundary and runs the next stage of the oldest frame that
  /// can go on, or begins a frame.
  ///
  /// - Returns: nil if something was done; otherwise the time until which there is nothing to do.
  package func work(
    clock: () -> MonotonicTime,
    publish: Publish
  ) -> MonotonicTime? {
    let now = clock()
    noticeChanges(now: now)
    var wake = peer.liveness.nextChange(after: now)
    for task in peer.tasks {
      switch peer.advance(task, now: now, wake: &wake) {
      case .waiting: break
      case .runnable:
        run(task, clock: clock, publish: publish)
        return nil
      case .finished:
        finish(task)
        return nil
      }
    }
    guard peer.tasks.count < limits.framesInFlight, let frame = nextPending() else { return wake }
    do throws(MartletError) {
      let task = try begin(frame, engine: try peer.engines.engine(for: frame.roles), now: now)
      run(task, clock: clock, publish: publish)
    } catch {
      // The others fill what this device would have sent.
      dropped(for: error, now: now)
    }
    return nil
  }

  /// This process did not run for some time, and could not listen: nobody is blamed for it.
  package func wasAway(_ time: Duration) { peer.postpone(by: time.nanoseconds) }

  /// Puts a frame's input where the program reads it: all of it, or the rows that it reads.
  ///
  /// - Returns: whether it has the size of either.
  private func place(
    _ frame: PendingFrame, in execution: Execution, of engine: DeviceEngine
  ) -> Bool {
    let value = engine.program.graph.inputs[0]
    let shape = engine.program.graph[value].shape
    if frame.input.count == shape.count {
      execution.withMutableValue(value) { _ = $0.update(fromContentsOf: frame.input) }
      return true
    }
    guard let rows = plan.inputRows(frame.roles)?[device],
      case let (width, planes) = (shape[3], shape[1]),
      frame.input.count == planes * rows.count * width
    else { return false }
    frame.input.withUnsafeBufferPointer { source in
      execution.withMutableValue(value) { target in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        for plane in 0..<planes {
          (to + (plane * shape[2] + rows.lowerBound) * width).update(
            from: from + plane * rows.count * width, count: rows.count * width)
        }
      }
    }
    return true
  }

  private func begin(
    _ frame: PendingFrame, engine: DeviceEngine, now: MonotonicTime
  ) throws(MartletError) -> FrameTask {
    let execution = try peer.pool.take(for: engine)
    guard place(frame, in: execution, of: engine) else {
      peer.pool.give(execution, of: engine)
      throw MartletError(
        .invalidShape, "a frame has other rows of the input than this device reads",
        context: ["frame": "\(frame.key)"])
    }
    let task = FrameTask(
      key: frame.key, engine: engine, execution: execution, roles: frame.roles,
      devices: peer.names.indices.map { gatherDevice($0, role: frame.roles.roles[$0], now: now) },
      waiting: .ownPart, arrivals: peer.arrivals, now: now)
    peer.tasks.append(task)
    for part in inbox.begin(frame.key) {
      let arrival = task.receive(
        .floats(part.elements), exchange: part.exchange, device: part.device, epoch: part.epoch,
        now: now)
      if arrival?.isKept == true {
        peer.merge(
          part.report, isTrusted: peer.isTrusted(part.device, at: now), into: task, now: now)
      }
    }
    return task
  }

  /// Waits for whom the client counts on, unless it is known here that they are down.
  private func gatherDevice(
    _ number: Int, role: Attendance.Role, now: MonotonicTime
  ) -> GatherState.Device {
    guard number != device else { return GatherState.Device() }
    let state = peer.liveness.state(of: peer.names[number], at: now)
    let isLate = peer.isMerelyLate(number, at: now)
    var isDoubted = false
    let down: MissingReason?
    switch role {
    case .absent: down = state.missingReason ?? .lost
    case .probed:
      // Whether it is worth waiting for is for each exchange to say, unless it is silent here as well.
      isDoubted =
        peer.arrivals.book.policy.weighsConsequences && (state == .alive || isLate)
        && !peer.arrivals.deliveries.isKeptBack(number)
      down = isDoubted ? nil : peer.suspicion(of: number)
    case .awaited:
      isDoubted = isLate
      if state == .suspect {
        down = isLate ? nil : peer.suspicion(of: number)
      } else {
        down = state == .unknown ? nil : state.missingReason
      }
    }
    return GatherState.Device(
      epoch: peer.liveness.epoch(of: peer.names[number]) ?? 0, down: down, isDoubted: isDoubted)
  }

  private func run(
    _ task: FrameTask, clock: () -> MonotonicTime,
    publish: Publish
  ) {
    task.runStage(
      now: clock,
      publish: { publication, part in
        guard isRead(publication.exchange, by: task.roles) else { return }
        let point = plan.exchanges[publication.exchange]
        var shape = task.engine.program.graph[publication.value].shape
        if part.isEmpty { shape = shape.replacing(axis: point.axis, with: 0) }
        // In a vertical plan only those before know why something is null.
        let tellsAll = point.isWhole || lastExchanges.contains(publication.exchange)
        publish(
          task.key, publication.exchange, shape, part, tellsAll ? task.fills : task.surprises)
      })
    sent.append(SentMark(task.key, stage: task.sentBefore))
    // At once: with its last part the client may have its answer and say that it waits no longer, and
    // that must not make a drop of a frame that was computed to its end.
    if task.isDone { finish(task) }
  }

  /// Whether anybody gathers this device's part of an exchange: the client, or another that takes part.
  private func isRead(_ exchange: Int, by attendance: Attendance) -> Bool {
    if limits.publishesAll || lastExchanges.contains(exchange) { return true }
    let roles = attendance.roles
    if let reader = plan.exchanges[exchange].reader { return roles[reader] != .absent }
    return roles.indices.contains { $0 != device && roles[$0] != .absent }
  }

  private func finish(_ task: FrameTask) {
    peer.remove(task)
    peer.pool.give(task.execution, of: task.engine)
    counters.framesFinished += 1
    for exchange in task.ownSpoiled { spoiled[plan.exchanges[exchange].id, default: 0] += 1 }
    // Whoever waits for parts sees by it that they have been sent.
    counters.lastFrame = task.key.frame
    for fill in task.fills.fills where fill.receiver == device {
      counters.fills[fill.reason.rawValue, default: 0] += 1
    }
    work.finished(task.times, fills: task.fills, receiver: device)
  }

  /// How far it has come with what it publishes for frames, stage by stage, since the last call.
  package func takeSent() -> [SentMark] {
    defer { sent = [] }
    return sent
  }

  /// How many frames since the last call had infinities or NaN in this device's own part, by layer.
  package func takeSpoiled() -> [String: Int] {
    defer { spoiled = [:] }
    return spoiled
  }
}
