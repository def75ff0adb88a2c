package import Foundations
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
        gathers[index].patience[part.device] = Patience(own: limit, since: entered)
        gathers[index].state.wait(
          for: part.device, until: min(entered.adding(nanoseconds: limit), emptyEnd, end))
      }
    }
  }

  /// A client's waits begin with the first part.
  mutating func beginWaiting(_ index: Int, now: MonotonicTime, book: ArrivalBook) {
    guard case .firstPart(let limit) = waiting, !gathers[index].hasBegun else { return }
    gathers[index].hasBegun = true
    // Whatever moved before has counted as well.
    let moved = gathers[index].patience.values.lazy.map(\.since).max() ?? started
    let last = max(entered ?? started, moved).adding(nanoseconds: limit)
    grantWaits(index, from: now, limit: min(last, end), book: book)
  }

  private mutating func grantWaits(
    _ index: Int, from start: MonotonicTime, limit: MonotonicTime, book: ArrivalBook
  ) {
    let expectation = gathers[index].expectation
    let sinceStart = stagesSinceStart(expectation)
    let (started, stages) = (started, stages)
    func endOf(_ wait: UInt64) -> MonotonicTime {
      min(
        max(
          start.adding(nanoseconds: wait * stages),
          started.adding(nanoseconds: wait * sinceStart)), limit)
    }
    for part in expectation.parts {
      let wait =
        isDelayed ? book.longest : book.wait(for: part.device, in: expectation.number)
      gathers[index].state.wait(
        for: part.device, until: endOf(wait),
        atMost: book.policy.weighsConsequences ? endOf(book.longest) : nil)
      gathers[index].patience[part.device] =
        book.followsMovement
        ? Patience(
          own: wait * stages,
          all: book.policy.weighsConsequences ? book.longest * stages : nil, since: start) : nil
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

  /// Something moved: a wait is for tensors that stand still. Where something is lost without a device, it
  /// is waited for as long as any tensors move, for they may be what it waits for itself; where nothing
  /// is, as long as its own do.
  ///
  /// - Parameters:
  ///   - own: when a device's tensors moved last.
  ///   - all: when any did.
  ///   - isBehind: whether messages wait on their way here, so that a device's own may be behind those of
  ///     others.
  ///   - slack: for how long everything may stand still at least where something is lost, and before a
  ///     client has heard anything, in nanoseconds.
  package mutating func extendWaits(
    own: (Int) -> MonotonicTime?, all: MonotonicTime, isBehind: Bool, slack: UInt64 = 0
  ) {
    let isUnheard = waiting != .ownPart
    for index in gathers.indices where gathers[index].state.finished == nil {
      // Before the first part a client does not know for whom it waits.
      let isShared = isBehind || (isUnheard && !gathers[index].hasBegun)
      let end = gathers[index].hasBegun ? end : min(end, emptyEnd)
      for (device, patience) in gathers[index].patience {
        let mine = own(device) ?? .zero
        let moved = isShared ? all : mine
        // A client does not see those wait who will answer it.
        let own =
          isUnheard && !gathers[index].hasBegun ? max(patience.own, slack) : patience.own
        gathers[index].patience[device]?.moved(at: isBehind ? mine : moved)
        gathers[index].state.extend(
          device, until: min(moved.adding(nanoseconds: own), end),
          atMost: patience.all.map {
            min(max(all, entered ?? all).adding(nanoseconds: max($0, slack)), end)
          } ?? .zero)
      }
    }
  }

  /// How long a part is waited for at most that should be here, in nanoseconds: for a broker that keeps the
  /// order of each topic only.
  static let reordering: UInt64 = 250_000_000

  /// All that a device sends for this frame in stages before one has left it, and should be here: what is
  /// not, got lost, and is not waited for longer than parts of the device usually take. See `SentBook`. Not for
  /// policies that wait for a fixed time.
  package mutating func hasSent(_ device: Int, before stage: Int, now: MonotonicTime) {
    for index in gathers.indices {
      guard let own = gathers[index].expectation.stage, own < stage else { continue }
      settle(device, in: index, isLost: true, now: now)
    }
  }

  /// Others waited for a device in vain. Either it stands still, or only its part got lost: then the next is on
  /// its way.
  package mutating func hurry(_ device: Int, now: MonotonicTime) {
    for index in gathers.indices { settle(device, in: index, isLost: false, now: now) }
  }

  private mutating func settle(
    _ device: Int, in index: Int, isLost: Bool, now: MonotonicTime
  ) {
    guard gathers[index].state.finished == nil, let patience = gathers[index].patience[device]
    else { return }
    gathers[index].state.settle(
      device, by: now.adding(nanoseconds: min(patience.own, Self.reordering)), isLost: isLost)
  }
}
