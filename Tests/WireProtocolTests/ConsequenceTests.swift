import Foundations
import Tensors
import Testing
import WireProtocol

/// Waiting by what is lost: a deadline while nothing is, a limit while something is.
@Suite struct ConsequenceTests {
  private let deadline = seconds(1)
  private let limit = seconds(5)

  /// Three devices with one slot of ten elements each.
  private func exchange(down: [Int: MissingReason] = [:], doubted: Set<Int> = []) -> GatherState {
    var state = GatherState(
      frame: 4, slots: (0..<3).map { .init(elements: 10, candidates: [$0]) },
      devices: (0..<3).map { .init(down: down[$0], isDoubted: doubted.contains($0)) },
      deadline: .distantFuture)
    for device in 0..<3 { state.wait(for: device, until: deadline, atMost: limit) }
    return state
  }

  private func receive(_ state: inout GatherState, _ device: Int) {
    _ = state.receive(slot: device, from: device, frame: 4, epoch: 1, elements: 10)
  }

  /// As a code that restores one lost part and no more.
  private func oneIsFree(_ slots: [Int]) -> Bool { slots.count <= 1 }

  @Test func whatNothingMakesUpForIsWaitedForToTheLimit() {
    var state = exchange()
    receive(&state, 0)
    receive(&state, 1)
    #expect(state.tick(seconds(0.5)) == .wait(until: deadline))
    #expect(state.tick(deadline) == .wait(until: limit))
    #expect(state.wanted == [2])
    receive(&state, 2)
    #expect(state.tick(seconds(4)) == .complete)
    #expect(state.missedDeadlines.isEmpty && state.lateButFree.isEmpty)
  }

  @Test func theLimitEndsIt() {
    var state = exchange()
    receive(&state, 0)
    receive(&state, 1)
    _ = state.tick(deadline)
    #expect(
      state.tick(limit) == .degrade(missing: [.init(slot: 2, device: 2, reason: .deadline)]))
    #expect(state.missedDeadlines == [2] && state.lateButFree.isEmpty)
  }

  @Test func whatIsFreeIsWaitedForToTheDeadline() {
    var state = exchange()
    receive(&state, 0)
    receive(&state, 1)
    #expect(state.tick(seconds(0.5), isFree: oneIsFree) == .wait(until: deadline))
    #expect(
      state.tick(deadline, isFree: oneIsFree)
        == .degrade(missing: [.init(slot: 2, device: 2, reason: .deadline)]))
    #expect(state.missedDeadlines.isEmpty && state.lateButFree == [2])
  }

  /// A code for one loss covers no second one, and covers it again once one of the two has come.
  @Test func twoAreNotFreeUntilOneHasCome() {
    var state = exchange()
    receive(&state, 0)
    #expect(state.tick(deadline, isFree: oneIsFree) == .wait(until: limit))
    receive(&state, 2)
    #expect(
      state.tick(seconds(2), isFree: oneIsFree)
        == .degrade(missing: [.init(slot: 1, device: 1, reason: .deadline)]))
    #expect(state.lateButFree == [1])
  }

  @Test func withOneLostTheSecondIsWorthWaitingFor() {
    var state = exchange(down: [1: .lost])
    receive(&state, 0)
    #expect(state.tick(deadline, isFree: oneIsFree) == .wait(until: limit))
    receive(&state, 2)
    #expect(
      state.tick(seconds(2), isFree: oneIsFree)
        == .degrade(missing: [.init(slot: 1, device: 1, reason: .lost)]))
    #expect(state.missedDeadlines.isEmpty && state.lateButFree.isEmpty)
  }

  @Test func aDeathEndsTheWait() {
    var state = exchange()
    receive(&state, 0)
    receive(&state, 1)
    #expect(state.tick(deadline) == .wait(until: limit))
    state.deviceDown(2, reason: .lost)
    #expect(
      state.tick(seconds(2)) == .degrade(missing: [.init(slot: 2, device: 2, reason: .lost)]))
  }

  /// A device that was late elsewhere costs no time where it is free, and has time where it is not.
  @Test func theDoubtedAreWaitedForWhereTheyCount() {
    var state = exchange(doubted: [2])
    receive(&state, 0)
    receive(&state, 1)
    #expect(state.tick(seconds(0.1)) == .wait(until: limit))
    #expect(
      state.tick(seconds(0.1), isFree: oneIsFree)
        == .degrade(missing: [.init(slot: 2, device: 2, reason: .deadline)]))
    // It is not blamed twice.
    #expect(state.lateButFree.isEmpty && state.missedDeadlines.isEmpty)
  }

  @Test func aSpoiledPartIsNotWaitedFor() {
    var state = exchange()
    receive(&state, 0)
    receive(&state, 1)
    state.spoil(device: 2)
    // What is made of it elsewhere does not hide why.
    state.deviceDown(2, reason: .suspect)
    #expect(
      state.tick(seconds(0.1)) == .degrade(missing: [.init(slot: 2, device: 2, reason: .corrupt)]))
    #expect(state.missedDeadlines.isEmpty)
  }

  @Test func whoeverStopsWaitingStopsForAll() {
    var state = exchange()
    receive(&state, 0)
    receive(&state, 1)
    state.stopWaiting(at: seconds(2))
    #expect(state.tick(deadline) == .wait(until: seconds(2)))
    state.postpone(by: 1_000_000_000)
    #expect(state.tick(seconds(2)) == .wait(until: seconds(3)))
  }

  // MARK: Silence

  private func presence(_ heartbeat: Int) -> Presence {
    Presence(state: .ready, epoch: 5, heartbeatMilliseconds: heartbeat, version: "")
  }

  /// What a peer promised, and how long it may be silent while it is waited for, in milliseconds.
  @Test(
    arguments: [
      (500, 100, 500), (500, 550, 950), (500, nil, 1500), (200, 100, 500), (100, 100, 300),
      // Whoever knows that its messages are late promises later ones, within reason.
      (500, 1600, 2000), (500, 8000, 10_000), (500, 120_000, 12_500),
    ] as [(Int, UInt64?, UInt64)])
  func silence(heartbeat: Int, promise: UInt64?, allowed: UInt64) {
    var peer = PeerLiveness()
    #expect(peer.quietEnd(since: .zero) == nil)
    _ = peer.receive(presence(heartbeat))
    #expect(peer.quietEnd(since: .zero) == nil)
    _ = peer.heartbeat(epoch: 5, promise: promise, at: seconds(1))
    #expect(peer.quietEnd(since: .zero) == seconds(1).adding(milliseconds: allowed))
    _ = peer.part(epoch: 5, at: seconds(2), inTime: false)
    #expect(peer.quietEnd(since: .zero) == seconds(2).adding(milliseconds: allowed))
    // Nobody is silent before somebody waits.
    #expect(peer.quietEnd(since: seconds(9)) == seconds(9).adding(milliseconds: allowed))
  }

  /// Where nobody at all is heard, it is the broker that stands still, or the receiver.
  @Test func theSilenceOfAllIsNobodys() throws {
    var liveness = Liveness(devices: ["a", "b"])
    for device in ["a", "b"] {
      liveness.receive(presence(500), of: device)
      liveness.heartbeat(of: device, epoch: 5, promise: 100, at: seconds(1))
    }
    func end(_ now: MonotonicTime) throws -> MonotonicTime {
      try #require(liveness.quietEnd(of: "a", since: .zero, at: now))
    }
    #expect(try end(seconds(1.1)) == seconds(1.5))
    // Nothing for a second: not yet.
    #expect(try end(seconds(2)) > seconds(2))
    // Somebody is there again: from now on it counts.
    liveness.heartbeat(of: "b", epoch: 5, promise: 100, at: seconds(2))
    #expect(try end(seconds(2.1)) == seconds(2.5))
    for tenth in 1...5 {
      liveness.heardAnybody(at: seconds(2 + Double(tenth) / 10))
    }
    #expect(try end(seconds(2.5)) == seconds(2.5))
  }

  // MARK: Words that are said again

  @Test func restatementIsBoundedToOneASecond() {
    var restatement = Restatement()
    func isTaken(_ time: Double) -> Bool { restatement.take(at: seconds(time)) }
    #expect(!isTaken(1))
    #expect(restatement.due == .distantFuture)
    restatement.want(at: seconds(1))
    #expect(isTaken(1))
    #expect(!isTaken(1))
    restatement.want(at: seconds(1.2))
    restatement.want(at: seconds(1.9))
    #expect(restatement.due == seconds(2))
    #expect(!isTaken(1.9))
    #expect(isTaken(2))
    restatement.want(at: seconds(9))
    #expect(restatement.due == seconds(9))
  }

  @Test func epochsAreBoundedByTheClock() {
    let now: UInt64 = 1_800_000_000_000
    let year: UInt64 = 31_557_600_000
    #expect(Epoch.latest(unixMilliseconds: now) > now + 9 * year)
    #expect(Epoch.latest(unixMilliseconds: now) < now + 11 * year)
    #expect(Epoch.latest(unixMilliseconds: Epoch.maximum) == Epoch.maximum)
    #expect(Epoch.latest(unixMilliseconds: .max) == Epoch.maximum)
    // A board without a clock knows nothing about the others'.
    #expect(Epoch.latest(unixMilliseconds: 5000) == Epoch.maximum)
  }

  // MARK: Numbers that are none

  @Test func infinitiesAndNaNAreFound() throws {
    for count in [1, 7, 16, 33, 1000] {
      for bad in [Float.infinity, -.infinity, .nan, -.nan, .signalingNaN] {
        for place in Set([0, count / 2, count - 1]) {
          var values = (0..<count).map { Float($0) - 3 }
          values[place] = bad
          #expect(!values.withUnsafeBufferPointer(PackedElements.areFinite), "\(bad) at \(place)")
        }
      }
    }
    let edges: [Float] = [
      0, -0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 65_504,
    ]
    #expect(edges.withUnsafeBufferPointer(PackedElements.areFinite))
    #expect([Float]().withUnsafeBufferPointer(PackedElements.areFinite))
    func survives(_ value: Float, _ type: ElementType) -> Bool {
      [1, value].withUnsafeBufferPointer { PackedElements.survive($0, as: type) }
    }
    #expect(survives(65_519.9, .float16) && !survives(65_520, .float16))
    #expect(!survives(-1e9, .float16) && !survives(.nan, .float16))
    #expect(survives(1e30, .int8) && !survives(.infinity, .int8) && survives(.nan, .float32))
  }

  @Test(arguments: [ElementType.float32, .float16, .int8])
  func aMessageSaysWhetherItIsFinite(_ type: ElementType) throws {
    func isFinite(_ values: [Float], scale: Float? = nil) throws -> Bool {
      let header = try TensorHeader(
        frame: 1, epoch: 1, plan: "p", client: "c", layer: "l", device: "d", shape: [values.count])
      var encoder = try TensorEncoder(elementType: type)
      var message: [UInt8] = []
      values.withUnsafeBufferPointer { encoder.encode(header, $0) { message = $0 } }
      return try message.withUnsafeBytes { try TensorMessage(decoding: $0).isFinite }
    }
    #expect(try isFinite([1, -2, 3]))
    // Scaled bytes cannot hold any; whoever sends them chooses float32 instead.
    if type != .int8 {
      #expect(try !isFinite([1, .nan, 3]))
      #expect(try !isFinite([1, 2, -.infinity]))
    }
  }
}
