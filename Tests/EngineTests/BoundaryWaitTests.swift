import Engine
import Foundations
import Testing
import WireProtocol

/// How long a frame waits for what was sent and for what moves.
@Suite struct BoundaryWaitTests: BoundaryScene {
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
