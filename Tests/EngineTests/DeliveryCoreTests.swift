import Engine
import Foundations
import Plan
import TestSupport
import Testing
import WireProtocol

/// A device that works and is not heard by one of those who wait for it, as when an access list hides its
/// topics from them.
@Suite struct DeliveryCoreTests {
  private static let hidden = 2
  static let policies: [DeadlinePolicy] = [
    .fixed(.milliseconds(20)), .every(.milliseconds(20)), .learned, .standard,
  ]

  /// One frame; `deaf` (nil: nobody, a number behind the devices': the client) hears nothing of d2.
  ///
  /// - Returns: what was missing, and how many milliseconds it took.
  private func fly(
    _ simulation: Simulation, _ frame: UInt64, deaf: Int?
  ) throws -> (fills: FillReport, milliseconds: Int) {
    try simulation.send(frame, input: simulation.model.input(Int(frame)), oldest: frame)
    for elapsed in 0..<3000 {
      try simulation.settle { message, receiver in
        message.sender != Self.hidden || receiver ?? simulation.workers.count != deaf
      }
      let outcome = simulation.answer()
      if outcome != nil || elapsed % 100 == 99 {
        for device in simulation.workers.indices {
          simulation.beat(device, frame: simulation.workers[device].counters.lastFrame)
        }
      }
      if let outcome {
        simulation.client.recycle(outcome)
        return (outcome.fills, elapsed)
      }
      simulation.advance(milliseconds: 1)
    }
    throw MartletError(.timedOut, "no answer")
  }

  /// Why a receiver lacked parts of d2.
  private func reasons(_ fills: FillReport, receiver: Int) -> Set<MissingReason> {
    Set(
      fills.fills.filter { $0.device == Self.hidden && $0.receiver == receiver }.map(\.reason))
  }

  @Test(arguments: policies, [0, 3]) func isDeniedAfterAFewFrames(
    _ policy: DeadlinePolicy, deaf: Int
  ) throws {
    try TinyModel.with { model in
      let simulation = Simulation(model, deadline: policy)
      simulation.announceAll()
      var seen: [Set<MissingReason>] = []
      var times: [Int] = []
      for frame in 1...10 as ClosedRange<UInt64> {
        let (fills, time) = try fly(simulation, frame, deaf: deaf)
        seen.append(reasons(fills, receiver: deaf))
        times.append(time)
      }
      #expect(seen[0] == [.deadline] || seen[0] == [.deadline, .suspect], "\(seen)")
      #expect(!seen[0...3].joined().contains(.denied), "\(seen)")
      #expect(seen[8] == [.denied] && seen[9] == [.denied], "\(seen)")
      if policy.raisesSuspicion { #expect(times[9] == 0, "\(times)") }
      let notices =
        deaf == 3 ? simulation.client.takeDenials() : simulation.workers[deaf].takeDenials()
      guard case .begins(let denial)? = notices.first else {
        Issue.record("nothing was said")
        return
      }
      #expect(notices.count == 1 && denial.device == "d2" && denial.isWhole && denial.frames >= 5)
      let plan = model.folder.plan
      let exchanges = plan.possibleGatherings(device: deaf == 3 ? nil : deaf)
      #expect(denial.layers == exchanges.map { plan.exchanges[$0].id })

      // The first part ends it.
      _ = try fly(simulation, 11, deaf: nil)
      let over =
        deaf == 3 ? simulation.client.takeDenials() : simulation.workers[deaf].takeDenials()
      #expect(over == [.ends(device: "d2")])
      _ = try fly(simulation, 12, deaf: nil)
      #expect(try fly(simulation, 13, deaf: nil).fills.isEmpty)
      for worker in simulation.workers { #expect(worker.takeDenials().isEmpty) }
      #expect(simulation.client.takeDenials().isEmpty)
    }
  }

  /// One that finishes nothing is late, or stands still; nobody keeps its parts back.
  @Test func aDeviceThatDoesNothingIsSuspect() throws {
    try TinyModel.with { model in
      let simulation = Simulation(model, deadline: .fixed(.milliseconds(20)))
      simulation.announceAll()
      for frame in 1...20 as ClosedRange<UInt64> {
        try simulation.send(frame, input: model.input(1), to: [0, 1], oldest: frame)
        var outcome: ClientCore.Outcome?
        for _ in 0..<200 where outcome == nil {
          try simulation.settle()
          outcome = simulation.answer()
          simulation.advance(milliseconds: 1)
        }
        for device in 0..<3 {
          simulation.beat(device, frame: simulation.workers[device].counters.lastFrame)
        }
        let fills = try #require(outcome).fills.fills
        #expect(!fills.contains { $0.reason == .denied })
      }
      #expect(simulation.client.takeDenials().isEmpty)
    }
  }
}

@Suite struct DenialTests {
  private func text(_ layers: [String], isWhole: Bool = true) throws -> String {
    Denial(device: "d1", layers: layers, frames: 5, isWhole: isWhole)
      .text(try TopicRoot(deployment: "home"))
  }

  @Test func topicsAreNamed() throws {
    #expect(
      try text(["a"])
        == "d1 works, but its parts do not come here: by its heartbeats it has gone past 5 frames, "
        + "and nothing came on martlet/1/home/act/a/d1")
    #expect(
      try text(["a", "b", "c", "d", "e"]).hasSuffix(
        "martlet/1/home/act/a/d1, martlet/1/home/act/b/d1, martlet/1/home/act/c/d1 and 2 more"))
    #expect(
      try text(["a"], isWhole: false).hasSuffix(
        ": other parts come, and in 5 frames none came on martlet/1/home/act/a/d1"))
  }

  @Test func bothSidesOfTheListAreNamed() {
    let hint = Denial(device: "d1", layers: ["a"], frames: 5, isWhole: true).hint
    for words in ["acl_file", "write act/+/d1", "read act/+/+", "message_size_limit"] {
      #expect(hint.contains(words), "\(hint)")
    }
  }
}
