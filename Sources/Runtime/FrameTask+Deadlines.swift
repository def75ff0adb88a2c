import Plan
import TensorCore
import WireProtocol

/// How long each boundary waits for whom.
extension FrameTask {
  /// A client's waits begin with the first part, when all stages lie behind it.
  func countStages(_ gatherings: [DeviceProgram.Gathering]) {
    let numbers = gatherings.compactMap { engine.plan.exchanges[$0.exchange].stage }
    guard case .ownPart = waiting, let next = numbers.max() else { return }
    stages = UInt64(max(next - stage, 1))
    stage = max(stage, next)
  }

  /// How many waits may lie between the frame's beginning and a part of an exchange.
  ///
  /// Blocks of nodes do not wait in step: what came early by a skip hyperconnection says nothing about
  /// those that it skipped, who may still be waiting for somebody else. So they have their time from
  /// the beginning. Parts of neurons do, and it is enough to count from the last boundary.
  private func stagesSinceStart(_ exchange: Int) -> UInt64 {
    let point = engine.plan.exchanges[exchange]
    guard case .ownPart = waiting, point.isWhole, let stage = point.stage else { return 0 }
    return UInt64(stage + 1)
  }

  func setWaits(_ index: Int, entered: MonotonicTime) {
    let gathering = gathers[index].gathering
    // Where it is waited for all the same: what is kept back is not late.
    for part in gathering.parts where arrivals.deliveries.isKeptBack(part.device) {
      gathers[index].state.refuse(device: part.device, reason: .denied)
    }
    switch waiting {
    case .ownPart:
      arrivals.book.began(gathering.exchange, of: key, at: entered)
      grantWaits(index, from: entered, limit: .distantFuture)
    case .firstPart(let limit):
      for part in gathering.parts {
        gathers[index].state.wait(
          for: part.device, until: min(entered.adding(nanoseconds: limit), emptyEnd))
      }
    }
  }

  /// A client's waits begin with the first part.
  func beginWaiting(_ index: Int, now: MonotonicTime) {
    guard case .firstPart(let limit) = waiting, !gathers[index].hasBegun else { return }
    gathers[index].hasBegun = true
    let entered = boundaryEntered ?? started
    grantWaits(index, from: now, limit: entered.adding(nanoseconds: limit))
  }

  private func grantWaits(_ index: Int, from start: MonotonicTime, limit: MonotonicTime) {
    let gathering = gathers[index].gathering
    for part in gathering.parts {
      let wait =
        isDelayed
        ? arrivals.book.policy.longest
        : arrivals.book.wait(for: part.device, in: gathering.exchange)
      func end(_ wait: UInt64) -> MonotonicTime {
        min(
          max(
            start.adding(nanoseconds: wait * stages),
            started.adding(nanoseconds: wait * stagesSinceStart(gathering.exchange))), limit)
      }
      gathers[index].state.wait(
        for: part.device, until: end(wait),
        atMost: arrivals.book.policy.weighsConsequences ? end(arrivals.book.policy.longest) : nil)
      if arrivals.book.isBarred(part.device, in: gathering.exchange) {
        gathers[index].state.deviceDown(part.device, reason: .denied)
      }
    }
  }

  func extendWaits(_ index: Int, from now: MonotonicTime, but accused: Set<Int>) {
    for part in gathers[index].gathering.parts where !accused.contains(part.device) {
      gathers[index].state.wait(
        for: part.device, until: now.adding(nanoseconds: arrivals.book.policy.longest))
    }
  }
}
