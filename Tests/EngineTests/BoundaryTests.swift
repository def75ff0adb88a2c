import Engine
import Foundations
import Testing
import WireProtocol

/// What one frame waits for, with neither engine nor elements.
@Suite struct BoundaryTests: BoundaryScene {
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
}
