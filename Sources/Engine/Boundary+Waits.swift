import Foundations
import WireProtocol

/// How long each boundary waits for whom.
extension Boundary {
  /// A client's waits begin with the first part, when all stages lie behind it.
  mutating func countStages(_ expectations: [Expectation]) {
    guard case .ownPart = waiting, let next = expectations.compactMap(\.stage).max() else { return }
    stages = UInt64(max(next - stage, 1))
    stage = max(stage, next)
  }

  /// How many waits may lie between the frame's beginning and a part of an exchange.
  ///
  /// Blocks of nodes do not wait in step: what came early by a skip hyperconnection says nothing about
  /// those that it skipped, who may still be waiting for somebody else. So they have their time from
  /// the beginning. Parts of neurons do, and it is enough to count from the last boundary.
  private func stagesSinceStart(_ expectation: Expectation) -> UInt64 {
    guard case .ownPart = waiting, expectation.isWhole, let stage = expectation.stage else {
      return 0
    }
    return UInt64(stage + 1)
  }

  mutating func setWaits(_ index: Int, entered: MonotonicTime, book: inout ArrivalBook) {
    let expectation = gathers[index].expectation
    switch waiting {
    case .ownPart:
      book.began(expectation.number, of: key, at: entered)
      grantWaits(index, from: entered, limit: .distantFuture, book: book)
    case .firstPart(let limit):
      for part in expectation.parts {
        gathers[index].state.wait(
          for: part.device, until: min(entered.adding(nanoseconds: limit), emptyEnd))
      }
    }
  }

  /// A client's waits begin with the first part.
  mutating func beginWaiting(_ index: Int, now: MonotonicTime, book: ArrivalBook) {
    guard case .firstPart(let limit) = waiting, !gathers[index].hasBegun else { return }
    gathers[index].hasBegun = true
    let entered = entered ?? started
    grantWaits(index, from: now, limit: entered.adding(nanoseconds: limit), book: book)
  }

  private mutating func grantWaits(
    _ index: Int, from start: MonotonicTime, limit: MonotonicTime, book: ArrivalBook
  ) {
    let expectation = gathers[index].expectation
    let sinceStart = stagesSinceStart(expectation)
    let (started, stages) = (started, stages)
    func end(_ wait: UInt64) -> MonotonicTime {
      min(
        max(
          start.adding(nanoseconds: wait * stages),
          started.adding(nanoseconds: wait * sinceStart)), limit)
    }
    for part in expectation.parts {
      let wait =
        isDelayed ? book.longest : book.wait(for: part.device, in: expectation.number)
      gathers[index].state.wait(
        for: part.device, until: end(wait),
        atMost: book.policy.weighsConsequences ? end(book.longest) : nil)
      if book.isBarred(part.device, in: expectation.number) {
        gathers[index].state.deviceDown(part.device, reason: .denied)
      }
    }
  }

  mutating func extendWaits(
    _ index: Int, from now: MonotonicTime, but accused: Set<Int>, policy: DeadlinePolicy
  ) {
    for part in gathers[index].expectation.parts where !accused.contains(part.device) {
      gathers[index].state.wait(
        for: part.device, until: now + policy.longest)
    }
  }
}
