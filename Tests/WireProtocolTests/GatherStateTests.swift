import Foundations
import Testing
import WireProtocol

@Suite struct GatherStateTests {
  private let end = seconds(2)

  /// Three devices with one slot of ten elements each; epochs 100.
  private func exchange(down: [Int: MissingReason] = [:]) -> GatherState {
    GatherState(
      frame: 4, slots: (0..<3).map { .init(elements: 10, candidates: [$0]) },
      devices: (0..<3).map { .init(epoch: 100, down: down[$0]) }, deadline: end)
  }

  private func receive(
    _ state: inout GatherState, slot: Int, from device: Int, frame: UInt64 = 4,
    epoch: UInt64 = 100, elements: Int = 10
  ) -> GatherState.Arrival {
    state.receive(slot: slot, from: device, frame: frame, epoch: epoch, elements: elements)
  }

  @Test func completesWhenAllAreHere() {
    var state = exchange()
    #expect(state.tick(seconds(1)) == .wait(until: end))
    for device in [1, 0, 2] {
      #expect(state.tick(seconds(1)) == .wait(until: end))
      #expect(receive(&state, slot: device, from: device) == .accepted)
    }
    #expect(state.tick(seconds(1)) == .complete)
    #expect(state.finished == .complete)
    #expect((0..<3).map { state.source(of: $0) } == [0, 1, 2])
  }

  @Test func degradesAtTheDeadline() {
    var state = exchange()
    _ = receive(&state, slot: 0, from: 0)
    #expect(state.tick(MonotonicTime(nanoseconds: end.nanoseconds - 1)) == .wait(until: end))
    let decision = GatherState.Decision.degrade(missing: [
      .init(slot: 1, device: 1, reason: .deadline), .init(slot: 2, device: 2, reason: .deadline),
    ])
    #expect(state.tick(end) == decision)
    #expect(receive(&state, slot: 1, from: 1) == .late)
    #expect(state.tick(seconds(9)) == decision)
    #expect(state.source(of: 1) == nil)
  }

  /// What has left its device and is not here is given up soon, and its device is not to blame.
  @Test func aLostPartIsNotWaitedFor() {
    var state = exchange()
    _ = receive(&state, slot: 0, from: 0)
    state.settle(0, by: seconds(0.1), isLost: true)
    state.settle(2, by: seconds(0.5), isLost: true)
    // Neither said again nor by movement, nor because somebody else was late.
    state.settle(2, by: seconds(0.7), isLost: true)
    state.extend(2, until: seconds(8), atMost: seconds(9))
    state.wait(for: 2, until: seconds(8))
    _ = receive(&state, slot: 1, from: 1)
    #expect(state.tick(seconds(0.4)) == .wait(until: seconds(0.5)))
    #expect(
      state.tick(seconds(0.5)) == .degrade(missing: [.init(slot: 2, device: 2, reason: .deadline)]))
    #expect(state.lostParts == [2])
    #expect(state.missedDeadlines.isEmpty && state.lateButFree.isEmpty)
  }

  /// One that others waited for in vain gets no more time either, and is to blame unless it was sent.
  @Test func whoIsHurriedIsToBlame() {
    for isSent in [false, true] {
      var state = exchange()
      for device in 0..<2 { _ = receive(&state, slot: device, from: device) }
      state.settle(2, by: seconds(0.5), isLost: false)
      if isSent { state.settle(2, by: seconds(0.4), isLost: true) }
      state.extend(2, until: seconds(8), atMost: seconds(9))
      let moment = seconds(isSent ? 0.4 : 0.5)
      #expect(state.tick(seconds(0.3)) == .wait(until: moment))
      #expect(
        state.tick(moment) == .degrade(missing: [.init(slot: 2, device: 2, reason: .deadline)]))
      #expect(state.lostParts == (isSent ? [2] : []))
      #expect(state.missedDeadlines == (isSent ? [] : [2]))
    }
  }

  /// It may have been overtaken.
  @Test func aPartThatWasHeldToBeLostIsUsed() {
    var state = exchange()
    state.settle(2, by: seconds(0.5), isLost: true)
    for device in 0..<3 { #expect(receive(&state, slot: device, from: device) == .accepted) }
    let decision = state.tick(seconds(0.4))
    #expect(decision == .complete)
    #expect(state.lostParts.isEmpty)
  }

  @Test func whoIsHeardAgainIsWaitedFor() {
    for (reason, isBack) in [(MissingReason.suspect, true), (.lost, false)] {
      var state = exchange()
      state.deviceDown(2, reason: reason)
      state.deviceBack(2)
      for device in 0..<2 { _ = receive(&state, slot: device, from: device) }
      #expect((state.tick(seconds(1)) == .wait(until: end)) == isBack)
    }
  }

  @Test func aNullPartIsMissingAndNotWaitedFor() {
    var state = exchange(down: [2: .lost])
    #expect(receive(&state, slot: 0, from: 0, elements: 0) == .accepted)
    #expect(receive(&state, slot: 0, from: 0) == .duplicate)
    #expect(state.source(of: 0) == nil)
    _ = receive(&state, slot: 1, from: 1)
    #expect(
      state.tick(seconds(1))
        == .degrade(missing: [
          .init(slot: 0, device: 0, reason: .null), .init(slot: 2, device: 2, reason: .lost),
        ]))
  }

  @Test func aReplicaIsBetterThanANullPart() {
    var state = GatherState(
      frame: 4, slots: [.init(elements: 10, candidates: [0, 1])],
      devices: [.init(), .init()], deadline: end)
    _ = state.receive(slot: 0, from: 0, frame: 4, epoch: 1, elements: 0)
    _ = state.receive(slot: 0, from: 1, frame: 4, epoch: 1, elements: 10)
    #expect(state.source(of: 0) == 1)
    #expect(state.tick(seconds(1)) == .complete)
  }

  @Test func completesWithPartsThatCameJustBeforeTheDeadlineIsNoticed() {
    var state = exchange()
    for device in 0..<3 { _ = receive(&state, slot: device, from: device) }
    #expect(state.tick(seconds(50)) == .complete)
  }

  @Test func doesNotWaitForDevicesThatAreDown() {
    var state = exchange(down: [2: .lost])
    _ = receive(&state, slot: 0, from: 0)
    #expect(state.tick(seconds(1)) == .wait(until: end))
    _ = receive(&state, slot: 1, from: 1)
    #expect(
      state.tick(seconds(1)) == .degrade(missing: [.init(slot: 2, device: 2, reason: .lost)]))
  }

  @Test func partOfADeviceThoughtDownStillCounts() {
    var state = exchange(down: [2: .suspect])
    _ = receive(&state, slot: 0, from: 0)
    #expect(receive(&state, slot: 2, from: 2) == .accepted)
    _ = receive(&state, slot: 1, from: 1)
    #expect(state.tick(seconds(1)) == .complete)
  }

  @Test func deviceGoesDownWhileWaiting() {
    var state = exchange()
    _ = receive(&state, slot: 0, from: 0)
    _ = receive(&state, slot: 1, from: 1)
    state.deviceDown(1, reason: .lost)
    #expect(state.tick(seconds(1)) == .wait(until: end))
    state.deviceDown(2, reason: .suspect)
    #expect(
      state.tick(seconds(1)) == .degrade(missing: [.init(slot: 2, device: 2, reason: .suspect)]))
  }

  @Test func deadlinesMayBeMoved() {
    var state = exchange()
    for device in 0..<3 { state.wait(for: device, until: .distantFuture) }
    #expect(state.tick(end) == .wait(until: .distantFuture))
    for device in 0..<3 { state.wait(for: device, until: seconds(1)) }
    guard case .degrade(let missing) = state.tick(end) else {
      Issue.record("not degraded")
      return
    }
    #expect(missing.map(\.slot) == [0, 1, 2])
    #expect(state.missedDeadlines == [0, 1, 2])
  }

  @Test func eachDeviceHasItsOwnDeadline() {
    var state = exchange()
    state.wait(for: 1, until: seconds(1))
    state.wait(for: 2, until: seconds(1.5))
    _ = receive(&state, slot: 0, from: 0)
    #expect(state.tick(seconds(0.9)) == .wait(until: seconds(1)))
    #expect(state.tick(seconds(1.2)) == .wait(until: seconds(1.5)))
    // Late, but the exchange still waits for another one.
    #expect(receive(&state, slot: 1, from: 1) == .accepted)
    #expect(
      state.tick(seconds(1.5)) == .degrade(missing: [.init(slot: 2, device: 2, reason: .deadline)]))
    #expect(state.missedDeadlines == [2])
  }

  @Test func whoIsDownMissesNoDeadline() {
    var state = exchange(down: [2: .lost])
    _ = receive(&state, slot: 0, from: 0)
    _ = state.tick(end)
    #expect(state.missedDeadlines == [1])
  }

  @Test func classifiesWhatDoesNotBelong() {
    var state = exchange()
    #expect(receive(&state, slot: 0, from: 0) == .accepted)
    #expect(receive(&state, slot: 0, from: 0) == .duplicate)
    #expect(receive(&state, slot: 1, from: 1, frame: 3) == .late)
    #expect(receive(&state, slot: 1, from: 1, frame: 5) == .early)
    #expect(receive(&state, slot: 1, from: 1, epoch: 99) == .staleEpoch)
    #expect(receive(&state, slot: 1, from: 1, epoch: 102) == .accepted)
    #expect(receive(&state, slot: 1, from: 2) == .unknownDevice)
    #expect(receive(&state, slot: 1, from: 7) == .unknownDevice)
    #expect(receive(&state, slot: 1, from: -1) == .unknownDevice)
    #expect(receive(&state, slot: 2, from: 2, elements: 9) == .wrongSize)
    #expect(receive(&state, slot: 9, from: 2) == .wrongSize)
    state.deviceDown(99, reason: .lost)
    state.deviceDown(-5, reason: .lost)
    state.refuse(device: 99)
    #expect(state.tick(seconds(1)) == .wait(until: end))
  }

  @Test func tellsOfCorruptParts() {
    var state = exchange()
    state.refuse(device: 1)
    #expect(state.tick(seconds(1)) == .wait(until: end))
    _ = receive(&state, slot: 0, from: 0)
    guard case .degrade(let missing) = state.tick(end) else {
      Issue.record("not degraded")
      return
    }
    #expect(missing.map(\.reason) == [.corrupt, .deadline])
  }

  @Test func nothingToGather() {
    var state = GatherState(frame: 1, slots: [], devices: [], deadline: end)
    #expect(state.tick(.zero) == .complete)
    var orphan = GatherState(
      frame: 1, slots: [.init(elements: 1, candidates: [])], devices: [], deadline: end)
    #expect(orphan.tick(.zero) == .degrade(missing: [.init(slot: 0, device: -1, reason: .lost)]))
  }
}

/// Slots that two devices can fill: the primary, then its replica.
@Suite struct GatherReplicaTests {
  private let end = seconds(2)

  private func exchange(down: [Int: MissingReason] = [:]) -> GatherState {
    GatherState(
      frame: 4,
      slots: [.init(elements: 10, candidates: [0, 1]), .init(elements: 10, candidates: [1, 0])],
      devices: (0..<2).map { .init(down: down[$0]) }, deadline: end)
  }

  private func receive(
    _ state: inout GatherState, slot: Int, from device: Int
  ) -> GatherState.Arrival {
    state.receive(slot: slot, from: device, frame: 4, epoch: 0, elements: 10)
  }

  @Test func primaryIsPreferredInWhateverOrder() {
    for order in [[0, 1], [1, 0]] {
      var state = exchange()
      _ = receive(&state, slot: 1, from: 1)
      for device in order {
        #expect(receive(&state, slot: 0, from: device) == (device == 0 ? .accepted : .reserve))
      }
      #expect(state.tick(seconds(1)) == .complete)
      #expect(state.source(of: 0) == 0)
    }
  }

  @Test func replicaWaitsForThePrimaryUntilTheDeadline() {
    var state = exchange()
    _ = receive(&state, slot: 1, from: 1)
    #expect(receive(&state, slot: 0, from: 1) == .reserve)
    #expect(state.tick(seconds(1)) == .wait(until: end))
    #expect(state.tick(end) == .complete)
    #expect(state.source(of: 0) == 1)
  }

  @Test func replicaIsUsedAtOnceWhenThePrimaryIsDown() {
    var state = exchange(down: [0: .suspect])
    _ = receive(&state, slot: 1, from: 1)
    #expect(state.tick(seconds(1)) == .wait(until: end))
    #expect(receive(&state, slot: 0, from: 1) == .accepted)
    #expect(state.tick(seconds(1)) == .complete)
    #expect(state.source(of: 0) == 1)
  }

  @Test func primaryGoesDownAfterTheReplicaCame() {
    var state = exchange()
    _ = receive(&state, slot: 1, from: 1)
    _ = receive(&state, slot: 0, from: 1)
    state.deviceDown(0, reason: .lost)
    #expect(state.tick(seconds(1)) == .complete)
  }

  @Test func bothCopiesMissing() {
    var state = exchange(down: [0: .lost, 1: .suspect])
    #expect(
      state.tick(.zero)
        == .degrade(missing: [
          .init(slot: 0, device: 0, reason: .lost), .init(slot: 1, device: 1, reason: .suspect),
        ]))
  }

  /// Whatever the order, and whoever is down, the copies used depend only on who delivered.
  @Test func orderDoesNotMatter() {
    let seed: UInt64 = 21
    var random = SeededGenerator(seed: seed)
    for round in 0..<500 {
      let slots = (0..<4).map { _ in
        GatherState.Slot(elements: 1, candidates: Array((0..<4).shuffled(using: &random).prefix(2)))
      }
      let alive = (0..<4).map { _ in Int.random(in: 0..<4, using: &random) > 0 }
      let parts = slots.indices.flatMap { slot in
        slots[slot].candidates.filter { alive[$0] }.map { (slot, $0) }
      }
      let expected = slots.map { $0.candidates.first { alive[$0] } }
      var state = GatherState(
        frame: 1, slots: slots, devices: alive.map { .init(down: $0 ? nil : .lost) },
        deadline: end)
      for (slot, device) in parts.shuffled(using: &random) {
        _ = state.receive(slot: slot, from: device, frame: 1, epoch: 0, elements: 1)
      }
      let decision = state.tick(.zero)
      #expect(slots.indices.map { state.source(of: $0) } == expected, "seed \(seed) round \(round)")
      #expect((decision == .complete) == !expected.contains(nil), "seed \(seed) round \(round)")
    }
  }
}
