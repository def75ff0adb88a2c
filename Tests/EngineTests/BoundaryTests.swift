import Engine
import Foundations
import Testing
import WireProtocol

/// What one frame waits for, with neither engine nor elements.
@Suite struct BoundaryTests {
  private let start = MonotonicTime(nanoseconds: 1_000_000_000)
  private let key = FrameKey(client: "cam", frame: 7)

  private func after(_ milliseconds: UInt64) -> MonotonicTime {
    start.adding(milliseconds: milliseconds)
  }

  private func book(_ policy: DeadlinePolicy = .fixed(.milliseconds(20))) -> ArrivalBook {
    ArrivalBook(policy: policy, devices: 3)
  }

  private func boundary(
    _ waiting: Boundary.WaitStart = .ownPart, devices: [GatherState.Device]? = nil
  ) -> Boundary {
    Boundary(
      key: key, waiting: waiting, devices: devices ?? Array(repeating: .init(epoch: 5), count: 3),
      now: start)
  }

  /// Three devices with a slot of two elements each.
  private func expectation(_ number: Int, stage: Int? = nil, isWhole: Bool = false)
    -> Boundary.Expectation
  {
    Boundary.Expectation(
      number: number, stage: stage ?? number, isWhole: isWhole,
      slots: (0..<3).map { .init(elements: 2, candidates: [$0]) },
      parts: (0..<3).map { .init(device: $0, elements: 2, pieces: [.init(slot: $0, elements: 2)]) })
  }

  private func progress(_ boundary: inout Boundary, _ now: MonotonicTime) -> Boundary.Progress {
    boundary.progress(now: now, isFree: { _, _ in false })
  }

  @discardableResult
  private func receive(
    _ boundary: inout Boundary, from device: Int, elements: Int = 2, epoch: UInt64 = 5,
    at now: MonotonicTime, _ book: ArrivalBook
  ) -> Boundary.Receipt {
    boundary.receive(0, from: device, epoch: epoch, elements: elements, now: now, book: book)
  }

  // MARK: A worker

  @Test func nothingToGatherIsComplete() {
    var (boundary, book) = (boundary(), book())
    boundary.enter([], now: start, book: &book)
    #expect(boundary.isEmpty)
    #expect(progress(&boundary, start) == .complete([], waited: nil))
  }

  @Test func aBoundaryIsCompleteWithItsLastPart() {
    var (boundary, book) = (boundary(), book())
    boundary.enter([expectation(0)], now: start, book: &book)
    boundary.receiveOwn(0, from: 0)
    #expect(boundary.awaited == [1, 2])
    #expect(progress(&boundary, start) == .waiting(until: after(20)))
    receive(&boundary, from: 1, at: after(3), book)
    #expect(progress(&boundary, after(3)) == .waiting(until: after(20)))
    receive(&boundary, from: 2, at: after(5), book)
    #expect(progress(&boundary, after(5)) == .complete([.init()], waited: .milliseconds(5)))
    #expect(boundary.isEmpty && !boundary.isDelayed && boundary.takeMissed().isEmpty)
  }

  @Test func whoIsMissingAtTheDeadlineIsToldOnce() {
    var (boundary, book) = (boundary(), book())
    boundary.enter([expectation(4, stage: 0)], now: start, book: &book)
    boundary.receiveOwn(0, from: 0)
    receive(&boundary, from: 1, at: after(3), book)
    #expect(
      progress(&boundary, after(20))
        == .complete(
          [.init(missing: [2], lacks: [.init(device: 2, reason: .deadline)])],
          waited: .milliseconds(20)))
    #expect(boundary.isDelayed)
    #expect(boundary.takeMissed() == [.init(exchange: 4, device: 2)])
    #expect(boundary.takeMissed().isEmpty)
  }

  @Test func aFrameInAHurryBlamesNobody() {
    var (boundary, book) = (boundary(), book())
    boundary.isHurried = true
    boundary.enter([expectation(0)], now: start, book: &book)
    _ = progress(&boundary, after(20))
    #expect(boundary.isDelayed && boundary.takeMissed().isEmpty)
  }

  /// Whoever skips stages waits for all those that lie between.
  @Test(arguments: [([0, 1], [20, 20]), ([0, 2], [20, 40]), ([3, 4], [80, 20])])
  func aWorkerWaitsOnceForEachStage(_ stages: [Int], _ waits: [UInt64]) {
    var (boundary, book) = (boundary(), book())
    for (stage, wait) in zip(stages, waits) {
      boundary.enter([expectation(stage)], now: start, book: &book)
      #expect(progress(&boundary, start) == .waiting(until: after(wait)))
      boundary.receiveOwn(0, from: 0)
      for device in 1...2 { receive(&boundary, from: device, at: start, book) }
      #expect(progress(&boundary, start) == .complete([.init()], waited: .zero))
    }
  }

  /// Blocks do not wait in step: theirs counts from the frame's beginning.
  @Test func blocksHaveTheirTimeFromTheBeginning() {
    var (boundary, book) = (boundary(), book())
    boundary.enter([expectation(0)], now: start, book: &book)
    for device in 0...2 { receive(&boundary, from: device, at: start, book) }
    _ = progress(&boundary, start)
    boundary.enter([expectation(1, stage: 1, isWhole: true)], now: after(1), book: &book)
    #expect(progress(&boundary, after(1)) == .waiting(until: after(40)))
  }

  @Test func whoIsDownIsNotWaitedFor() {
    var (boundary, book) = (boundary(), book())
    boundary.deviceDown(2, reason: .lost)
    boundary.enter([expectation(0)], now: start, book: &book)
    boundary.receiveOwn(0, from: 0)
    #expect(boundary.awaited == [1])
    boundary.deviceDown(1, reason: .suspect)
    #expect(
      progress(&boundary, start)
        == .complete(
          [
            .init(
              missing: [1, 2],
              lacks: [.init(device: 1, reason: .suspect), .init(device: 2, reason: .lost)])
          ], waited: .zero))
    #expect(boundary.takeMissed().isEmpty)
  }

  /// Before its boundary or at it.
  @Test(arguments: [true, false])
  func whatIsSpoiledIsNotWaitedFor(_ isEarly: Bool) {
    var (boundary, book) = (boundary(), book())
    if isEarly { boundary.spoil(0, device: 2) }
    boundary.enter([expectation(0)], now: start, book: &book)
    if !isEarly { boundary.spoil(0, device: 2) }
    boundary.receiveOwn(0, from: 0)
    receive(&boundary, from: 1, at: start, book)
    let lacks = [Boundary.Ending.Lack(device: 2, reason: .corrupt)]
    #expect(
      progress(&boundary, start) == .complete([.init(missing: [2], lacks: lacks)], waited: .zero))
  }

  @Test func whatCannotBeUsedIsToldIfNothingBetterComes() {
    var (boundary, book) = (boundary(), book())
    boundary.enter([expectation(0)], now: start, book: &book)
    boundary.receiveOwn(0, from: 0)
    receive(&boundary, from: 1, at: start, book)
    boundary.refuse(0, device: 2)
    boundary.refuse(9, device: 1)
    #expect(progress(&boundary, start) == .waiting(until: after(20)))
    let lacks = [Boundary.Ending.Lack(device: 2, reason: .corrupt)]
    #expect(
      progress(&boundary, after(20))
        == .complete([.init(missing: [2], lacks: lacks)], waited: .milliseconds(20)))
  }

  @Test func whoCouldNotListenWaitsLonger() {
    var (boundary, book) = (boundary(), book())
    boundary.enter([expectation(0)], now: start, book: &book)
    boundary.postpone(by: 7_000_000)
    #expect(progress(&boundary, after(20)) == .waiting(until: after(27)))
    #expect(boundary.listeningSince == after(7))
  }

  // MARK: A client

  @Test func aClientWaitsFromTheFirstPartAndNeverBeyondItsLimit() {
    for (first, end) in [(10, 30), (75, 95), (90, 100)] as [(UInt64, UInt64)] {
      var (boundary, book) = (boundary(.firstPart(limit: 100_000_000)), book())
      boundary.enter([expectation(2)], now: start, book: &book)
      #expect(progress(&boundary, after(first)) == .waiting(until: after(100)))
      receive(&boundary, from: 1, at: after(first), book)
      #expect(progress(&boundary, after(first)) == .waiting(until: after(end)))
      let lacks = [0, 2].map { Boundary.Ending.Lack(device: $0, reason: .deadline) }
      #expect(
        progress(&boundary, after(end))
          == .complete([.init(missing: [0, 2], lacks: lacks)], waited: .milliseconds(end)))
    }
  }

  @Test func aFrameThatMayBeLostEndsUnlessAPartComes() {
    for hasBegun in [true, false] {
      var (boundary, book) = (boundary(.firstPart(limit: 100_000_000)), book())
      boundary.enter([expectation(0)], now: start, book: &book)
      if hasBegun { receive(&boundary, from: 1, at: after(15), book) }
      boundary.expectNothing(after: after(30))
      #expect(progress(&boundary, after(16)) == .waiting(until: after(hasBegun ? 35 : 30)))
      guard case .complete = progress(&boundary, after(35)) else {
        Issue.record("still waiting")
        return
      }
      #expect(boundary.takeMissed().isEmpty)
    }
  }

  // MARK: Parts

  /// A copy that is worse than one that is here must not overwrite it.
  @Test(arguments: [([1, 0], [[0, 1], [0]]), ([0, 1], [[0], [1]])])
  func theBestCopyIsUsedWhateverComesFirst(_ senders: [Int], _ used: [[Int]]) {
    let replicated = Boundary.Expectation(
      number: 0, stage: 0,
      slots: [.init(elements: 2, candidates: [0, 1]), .init(elements: 2, candidates: [1])],
      parts: [
        .init(device: 0, elements: 2, pieces: [.init(slot: 0, elements: 2)]),
        .init(
          device: 1, elements: 4,
          pieces: [.init(slot: 0, elements: 2), .init(slot: 1, elements: 2)]),
      ])
    var (boundary, book) = (boundary(.firstPart(limit: 100_000_000)), book())
    boundary.enter([replicated], now: start, book: &book)
    for (device, pieces) in zip(senders, used) {
      let receipt = receive(
        &boundary, from: device, elements: device == 0 ? 2 : 4, at: start, book)
      #expect(receipt.arrival == .accepted && receipt.used == pieces)
    }
    // Nobody needs what others stand in for.
    #expect(receive(&boundary, from: 2, at: start, book).arrival == nil)
    #expect(progress(&boundary, start) == .complete([.init()], waited: .zero))
  }

  @Test func whatIsNotThePartIsRefused() {
    var (boundary, book) = (boundary(), book())
    boundary.enter([expectation(0)], now: start, book: &book)
    #expect(receive(&boundary, from: 1, elements: 3, at: start, book).arrival == .wrongSize)
    #expect(receive(&boundary, from: 1, elements: 0, at: start, book).arrival == .wrongSize)
    #expect(receive(&boundary, from: 1, epoch: 4, at: start, book).arrival == .staleEpoch)
    #expect(receive(&boundary, from: 1, at: start, book).arrival == .accepted)
    #expect(receive(&boundary, from: 1, at: start, book).arrival == .duplicate)
    #expect(boundary.position(of: 0) == 0 && boundary.position(of: 1) == nil)
  }

  @Test func aBlockMayBeNull() {
    var (boundary, book) = (boundary(), book())
    boundary.enter([expectation(0, isWhole: true)], now: start, book: &book)
    boundary.receiveOwn(0, from: 0, isNull: true)
    receive(&boundary, from: 1, at: start, book)
    let receipt = receive(&boundary, from: 2, elements: 0, at: start, book)
    #expect(receipt.arrival == .accepted && receipt.used.isEmpty)
    let lacks = [0, 2].map { Boundary.Ending.Lack(device: $0, reason: .null) }
    #expect(
      progress(&boundary, start)
        == .complete([.init(missing: [0, 2], lacks: lacks)], waited: .zero))
  }

  // MARK: What others say

  @Test func whoIsWaitedForInVainElsewhereMakesOthersLate() {
    let late = FillReport.Lack(exchange: 0, device: 2, receiver: 1, reason: .deadline)
    var (boundary, book) = (boundary(), book())
    boundary.enter([expectation(0)], now: start, book: &book)
    boundary.receiveOwn(0, from: 0)
    #expect(boundary.blame([], now: start, policy: book.policy).isEmpty && !boundary.isDelayed)
    #expect(boundary.blame([late], now: after(10), policy: book.policy) == [2: false])
    #expect(boundary.isDelayed)
    #expect(progress(&boundary, after(10)) == .waiting(until: after(20)))
    // The one that said so gets a whole deadline from then on, and whoever is accused no more.
    #expect(progress(&boundary, after(20)) == .waiting(until: after(30)))
    receive(&boundary, from: 1, at: after(25), book)
    #expect(boundary.blame([late], now: after(25), policy: book.policy) == [2: false])
    #expect(progress(&boundary, after(25)) != .waiting(until: after(30)))
    #expect(boundary.takeMissed() == [.init(exchange: 0, device: 2)])
  }

  /// A worker waits for a device in each exchange anew; a client gathers only the last.
  @Test func anotherExchangeConcernsOnlyClients() {
    let late = FillReport.Lack(
      exchange: 5, device: 2, receiver: 1, reason: .deadline, isCovered: true)
    for (waiting, guilty) in [
      (.ownPart, [:]), (.firstPart(limit: 100_000_000), [2: true]),
    ] as [(Boundary.WaitStart, [Int: Bool])] {
      var (boundary, book) = (boundary(waiting), book())
      boundary.enter([expectation(0)], now: start, book: &book)
      #expect(boundary.blame([late], now: start, policy: book.policy) == guilty)
      #expect(boundary.isDelayed)
    }
  }

  // MARK: Consequences

  @Test func whatLosesNothingIsNotWaitedForLonger() {
    let policy = DeadlinePolicy.consequence(floor: .milliseconds(20), bound: .milliseconds(200))
    for isFree in [true, false] {
      var (boundary, book) = (boundary(), book(policy))
      // Its parts have always come at once.
      for frame in 100..<130 as Range<UInt64> {
        let key = FrameKey(client: "cam", frame: frame)
        book.began(0, of: key, at: start)
        for device in 1...2 {
          _ = book.arrived(0, from: device, epoch: 5, of: key, isAhead: true, at: start)
        }
      }
      boundary.enter([expectation(0)], now: start, book: &book)
      boundary.receiveOwn(0, from: 0)
      receive(&boundary, from: 1, at: start, book)
      var asked: [[Int]] = []
      let progress = boundary.progress(now: after(20)) { index, slots in
        #expect(index == 0)
        asked.append(slots)
        return isFree
      }
      #expect(asked == [[2]])
      if isFree {
        #expect(progress != .waiting(until: after(200)))
        #expect(boundary.takeMissed() == [.init(exchange: 0, device: 2, wasFree: true)])
      } else {
        #expect(progress == .waiting(until: after(200)))
      }
    }
  }

  // MARK: What was sent

  /// Its part has left it and is not here. Whatever moves, it is given up after what it usually takes, at most
  /// after a quarter of a second, and nobody is to blame.
  @Test(arguments: [(200, 200), (2000, 250)] as [(Int, UInt64)])
  func whatGotLostIsNotWaitedFor(bound: Int, wait: UInt64) {
    let policy = DeadlinePolicy.consequence(
      floor: .milliseconds(20), bound: .milliseconds(bound))
    var (boundary, book) = (boundary(), book(policy))
    boundary.enter([expectation(3, stage: 0)], now: start, book: &book)
    for device in [0, 1] { receive(&boundary, from: device, at: start, book) }
    // Of earlier stages nothing is lacking.
    boundary.hasSent(2, before: 0, now: after(50))
    #expect(progress(&boundary, after(50)) == .waiting(until: after(UInt64(bound))))
    boundary.hasSent(2, before: 1, now: after(100))
    extend(&boundary, [2: 110])
    let end = min(100 + wait, UInt64(bound))
    #expect(progress(&boundary, after(110)) == .waiting(until: after(end)))
    let lacks = [Boundary.Ending.Lack(device: 2, reason: .deadline)]
    let ended = progress(&boundary, after(end))
    #expect(
      ended
        == .complete(
          [.init(missing: [2], lacks: lacks)], waited: .milliseconds(Int(end))))
    let missed = boundary.takeMissed()
    #expect(missed == [.init(exchange: 3, device: 2, wasLost: true)])
  }

  @Test func whoIsHurriedIsMissed() {
    let policy = DeadlinePolicy.consequence(floor: .milliseconds(20), bound: .seconds(2))
    var (boundary, book) = (boundary(), book(policy))
    boundary.enter([expectation(3, stage: 0)], now: start, book: &book)
    for device in [0, 1] { receive(&boundary, from: device, at: start, book) }
    boundary.hurry(2, now: after(100))
    boundary.hurry(2, now: after(200))
    #expect(progress(&boundary, after(200)) == .waiting(until: after(350)))
    _ = progress(&boundary, after(350))
    let missed = boundary.takeMissed()
    #expect(missed == [.init(exchange: 3, device: 2)])
  }

  /// Over a slow link somebody is held to be gone and is not.
  @Test func whoIsHeardAgainCountsAgain() {
    for (reason, epoch, isBack) in [
      (MissingReason.suspect, 5, true), (.suspect, 6, false), (.lost, 5, false),
    ] as [(MissingReason, UInt64, Bool)] {
      var (boundary, book) = (boundary(), book())
      boundary.enter([expectation(0)], now: start, book: &book)
      boundary.receiveOwn(0, from: 0)
      boundary.deviceDown(2, reason: reason)
      #expect(boundary.awaited == [1])
      boundary.deviceBack(2, epoch: epoch)
      #expect(boundary.awaited == (isBack ? [1, 2] : [1]))
      for device in [1, 2] { receive(&boundary, from: device, at: start, book) }
      _ = progress(&boundary, start)
      // In later stages as well.
      boundary.enter([expectation(1)], now: start, book: &book)
      #expect(boundary.awaited == (isBack ? [0, 1, 2] : [0, 1]))
    }
  }

  /// One that the frame did not count on from the beginning is not counted on later.
  @Test func whoWasSuspectBeforeStaysIt() {
    var devices = Array(repeating: GatherState.Device(epoch: 5), count: 3)
    devices[2].down = .suspect
    var (boundary, book) = (boundary(devices: devices), book())
    boundary.enter([expectation(0)], now: start, book: &book)
    boundary.deviceDown(2, reason: .suspect)
    boundary.deviceBack(2, epoch: 5)
    #expect(boundary.awaited == [0, 1])
  }

  // MARK: What moves

  private let patient = DeadlinePolicy.consequence(
    floor: .milliseconds(20), bound: .milliseconds(200))

  private func extend(
    _ boundary: inout Boundary, _ moved: [Int: UInt64], all: UInt64? = nil, isBehind: Bool = false
  ) {
    let last = all ?? moved.values.max() ?? 0
    boundary.extendWaits(
      own: { moved[$0].map(after) }, all: after(last), isBehind: isBehind)
  }

  /// Pieces keep coming, each within the bound of the last, for ten times the bound.
  @Test(arguments: [
    DeadlinePolicy.consequence(floor: .milliseconds(20), bound: .milliseconds(200)),
    .adaptive(floor: .milliseconds(20), ceiling: .milliseconds(200)),
  ])
  func whatMovesIsWaitedFor(_ policy: DeadlinePolicy) {
    var (boundary, book) = (boundary(), book(policy))
    boundary.enter([expectation(0)], now: start, book: &book)
    boundary.receiveOwn(0, from: 0)
    receive(&boundary, from: 1, at: start, book)
    for moment in stride(from: 150, through: 2000, by: 150) {
      extend(&boundary, [2: UInt64(moment)])
      #expect(
        progress(&boundary, after(UInt64(moment))) == .waiting(until: after(UInt64(moment) + 200)))
    }
    #expect(boundary.stillness(of: 2, in: 0, at: after(2000)) == 150_000_000)
    #expect(boundary.stillness(of: 1, in: 0, at: after(2000)) == nil)
    receive(&boundary, from: 2, at: after(2000), book)
    #expect(progress(&boundary, after(2000)) == .complete([.init()], waited: .seconds(2)))
    let missed = boundary.takeMissed()
    #expect(missed.isEmpty)
  }

  /// It has died in the middle of its part.
  @Test func whatMovesNoMoreIsGivenUp() {
    var (boundary, book) = (boundary(), book(patient))
    boundary.enter([expectation(0)], now: start, book: &book)
    for device in [0, 1] { receive(&boundary, from: device, at: start, book) }
    extend(&boundary, [2: 150])
    extend(&boundary, [2: 300])
    #expect(progress(&boundary, after(499)) == .waiting(until: after(500)))
    let lacks = [Boundary.Ending.Lack(device: 2, reason: .deadline)]
    #expect(
      progress(&boundary, after(500))
        == .complete([.init(missing: [2], lacks: lacks)], waited: .milliseconds(500)))
    let missed = boundary.takeMissed()
    #expect(missed == [.init(exchange: 0, device: 2)])
  }

  /// Who asks for a time gets it.
  @Test func aFixedDeadlineIsOne() {
    for policy in [DeadlinePolicy.fixed(.milliseconds(20)), .every(.milliseconds(20))] {
      var (boundary, book) = (boundary(), book(policy))
      boundary.enter([expectation(0)], now: start, book: &book)
      extend(&boundary, [1: 15, 2: 15])
      #expect(progress(&boundary, start) == .waiting(until: after(20)))
    }
  }

  /// A device may itself wait for another whose link is slow: where something is lost without it, it is
  /// waited for as long as anything moves; where nothing is, it is not.
  @Test func othersThatMoveMatterWhereSomethingIsLost() {
    for isFree in [true, false] {
      var (boundary, book) = (boundary(), book(patient))
      for frame in 1...20 as ClosedRange<UInt64> {
        for device in 0..<3 {
          _ = book.arrived(
            0, from: device, of: FrameKey(client: "cam", frame: frame), isAhead: true, at: start)
        }
      }
      boundary.enter([expectation(0)], now: start, book: &book)
      for device in [0, 1] { receive(&boundary, from: device, at: start, book) }
      extend(&boundary, [1: 19], all: 19)
      let ended = boundary.progress(now: after(30), isFree: { _, _ in isFree })
      if isFree {
        let lacks = [Boundary.Ending.Lack(device: 2, reason: .deadline)]
        #expect(
          ended == .complete([.init(missing: [2], lacks: lacks)], waited: .milliseconds(30)))
      } else {
        #expect(ended == .waiting(until: after(219)))
      }
    }
  }

  /// While messages wait on their way here, the part may be behind those of others.
  @Test func whatLiesBehindOthersIsWaitedFor() {
    var (boundary, book) = (
      boundary(), book(.adaptive(floor: .milliseconds(20), ceiling: .milliseconds(200)))
    )
    boundary.enter([expectation(0)], now: start, book: &book)
    for device in [0, 1] { receive(&boundary, from: device, at: start, book) }
    extend(&boundary, [1: 190], isBehind: false)
    #expect(progress(&boundary, after(190)) == .waiting(until: after(200)))
    extend(&boundary, [1: 190], isBehind: true)
    #expect(progress(&boundary, after(195)) == .waiting(until: after(390)))
    #expect(boundary.stillness(of: 2, in: 0, at: after(195)) == nil)
  }

  /// Before anything has come a client knows of no device in particular, and what came late does not
  /// shorten the wait for the others.
  @Test func aClientWaitsAsLongAsAnythingMoves() {
    var (boundary, book) = (boundary(.firstPart(limit: 100_000_000)), book(patient))
    boundary.enter([expectation(0)], now: start, book: &book)
    for moment in stride(from: 90, through: 900, by: 90) {
      extend(&boundary, [1: UInt64(moment)])
      #expect(
        progress(&boundary, after(UInt64(moment))) == .waiting(until: after(UInt64(moment) + 100)))
    }
    #expect(boundary.stillness(of: 1, in: 0, at: after(950)) == nil)
    receive(&boundary, from: 1, at: after(950), book)
    #expect(progress(&boundary, after(950)) == .waiting(until: after(1000)))
    extend(&boundary, [0: 990])
    #expect(progress(&boundary, after(1000)) == .waiting(until: after(1190)))
  }

  /// What the caller asked for is not extended, and nobody is to blame for it.
  @Test func theEndOfAFrameIsItsEnd() {
    var (boundary, book) = (
      Boundary(
        key: key, waiting: .firstPart(limit: 100_000_000),
        devices: Array(repeating: .init(epoch: 5), count: 3), now: start, until: after(150)),
      book(patient)
    )
    boundary.enter([expectation(0)], now: start, book: &book)
    extend(&boundary, [1: 90])
    #expect(progress(&boundary, after(90)) == .waiting(until: after(150)))
    receive(&boundary, from: 1, at: after(95), book)
    extend(&boundary, [0: 140, 2: 140])
    #expect(progress(&boundary, after(140)) == .waiting(until: after(150)))
    guard case .complete = progress(&boundary, after(150)) else {
      Issue.record("it goes on")
      return
    }
    let missed = boundary.takeMissed()
    #expect(missed.isEmpty)
  }

  /// What this process did not see move because it stood still is no stillness.
  @Test func whoWasAwayHasSeenNoStillness() {
    var (boundary, book) = (boundary(), book(patient))
    boundary.enter([expectation(0)], now: start, book: &book)
    extend(&boundary, [2: 50])
    boundary.postpone(by: 1_000_000_000)
    extend(&boundary, [2: 1100])
    #expect(boundary.stillness(of: 2, in: 0, at: after(1100)) == 50_000_000)
  }
}
