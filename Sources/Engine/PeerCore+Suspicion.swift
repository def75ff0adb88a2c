import Foundations
import Plan
import WireProtocol

/// What a worker or a client makes of peers that do not deliver.
extension PeerCore {
  private var policy: DeadlinePolicy { arrivals.book.policy }

  /// A peer was waited for in vain, here or by another: it is not waited for again until a part of it
  /// is in time. If nothing was lost by it, only where nothing is.
  func suspect(_ number: Int, wasFree: Bool) {
    guard policy.raisesSuspicion else { return }
    let wasFree = wasFree && policy.weighsConsequences
    liveness.missDeadline(of: names[number], wasFree: wasFree)
    for task in tasks {
      if wasFree {
        task.boundary.deviceDoubted(number)
      } else {
        task.boundary.deviceDown(number, reason: suspicion(of: number))
      }
    }
  }

  /// A peer was waited for in vain by another.
  ///
  /// A client is told of parts that never come to it, and nobody tells it why they were not there. Of a device
  /// that says what it sends it waits a moment for the next.
  func accuse(_ number: Int, wasFree: Bool, in task: FrameTask, now: MonotonicTime) {
    guard task.engine.device == nil, policy.weighsConsequences, !wasFree,
      arrivals.sent.speaks(number)
    else { return suspect(number, wasFree: wasFree) }
    task.boundary.hurry(number, now: now)
  }

  /// A peer computes what cannot be right: it is not counted on for a while, in no exchange.
  func distrust(_ number: Int, now: MonotonicTime) {
    guard policy.raisesSuspicion else { return }
    liveness.distrust(names[number], at: now)
  }

  /// Whether a peer is known to run well.
  func isTrusted(_ number: Int, at now: MonotonicTime) -> Bool {
    liveness.state(of: names[number], at: now) == .alive
  }

  /// Whether a peer is suspect for no other reason than having been late where it was free.
  func isMerelyLate(_ number: Int, at now: MonotonicTime) -> Bool {
    policy.weighsConsequences && !arrivals.deliveries.isKeptBack(number)
      && liveness.isMerelyLate(names[number], at: now)
  }

  /// Gives up peers that a frame waits for and that have fallen silent.
  ///
  /// - Parameter awaited: the devices that it waits for.
  /// - Returns: when to look again.
  func giveUpSilent(
    _ task: FrameTask, awaited: Set<Int>, now: MonotonicTime
  ) -> MonotonicTime {
    guard policy.weighsConsequences else { return .distantFuture }
    guard !awaited.isEmpty else { return .distantFuture }
    var next = MonotonicTime.distantFuture
    for number in awaited where number != task.engine.device {
      guard
        let end = liveness.quietEnd(of: names[number], since: task.boundary.listeningSince, at: now)
      else { continue }
      if end <= now { fallsSilent(number, at: now) } else { next = min(next, end) }
    }
    // Often enough to notice when this process was stopped.
    return min(next, now.adding(milliseconds: 25))
  }

  /// A peer that is waited for is silent. Over a slow link its next word ends that; else a part in time.
  private func fallsSilent(_ number: Int, at now: MonotonicTime) {
    guard liveness.isSlow(at: now) else { return suspect(number, wasFree: false) }
    liveness.doubt(names[number])
    for task in tasks { task.boundary.deviceDown(number, reason: suspicion(of: number)) }
  }

  /// A peer is down in frames under way, or only late where it was free.
  private func goesDown(_ number: Int, reason: MissingReason, at now: MonotonicTime) {
    let isLate = reason == .suspect && isMerelyLate(number, at: now)
    let reason = reason == .suspect ? suspicion(of: number) : reason
    for task in tasks {
      if isLate {
        task.boundary.deviceDoubted(number)
      } else {
        task.boundary.deviceDown(number, reason: reason)
      }
    }
  }

  /// A peer's state has changed: one that is down is not waited for any more, in frames under way either.
  func follow(_ change: Liveness.Change, at now: MonotonicTime) {
    // A draining peer finishes the frames under way.
    guard let reason = change.to.missingReason, change.to != .unknown, change.to != .draining,
      let number = names.firstIndex(of: change.device)
    else { return }
    goesDown(number, reason: reason, at: now)
  }

  /// This process did not run for some nanoseconds, and could not listen: nobody is blamed for them.
  func postpone(by nanoseconds: UInt64) {
    for task in tasks { task.boundary.postpone(by: nanoseconds) }
    arrivals.book.postpone(by: nanoseconds)
    liveness.postpone(by: nanoseconds)
  }
}
