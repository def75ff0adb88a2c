import Engine
import Foundations
import Plan
import TestSupport
import Testing
import WireProtocol

/// Frames whose callers wait less long than the deadlines.
@Suite struct HurriedFrameTests {
  /// A frame that must end after 20 ms, while deadlines are 250 ms.
  ///
  /// - Parameter reaches: whose parts reach the client.
  private func outcome(
    reaches: (Int) -> Bool
  ) throws -> (outcome: ClientCore.Outcome?, early: Bool, states: [PeerState]) {
    var result: (ClientCore.Outcome?, Bool, [PeerState]) = (nil, false, [])
    try TinyModel.with { model in
      let simulation = Simulation(model)
      simulation.announceAll()
      let roles = simulation.client.roles(now: simulation.now)
      let input = model.input(1)
      let payload = try simulation.inputMessage(
        1, input: input, roles: InputNote(attendance: roles, oldest: 1).text)
      try simulation.client.begin(
        FrameKey(client: "cam", frame: 1), input: input, roles: roles,
        until: simulation.now.adding(milliseconds: 20), now: simulation.now)
      _ = simulation.answer()
      for worker in simulation.workers {
        worker.input(payload, client: "cam", now: simulation.now)
      }
      for device in simulation.workers.indices { try simulation.work(device) }
      while !simulation.network.isEmpty {
        let messages = simulation.network
        simulation.network = []
        for message in messages {
          simulation.deliver(message) { $0 != nil || reaches(message.sender) }
        }
        for device in simulation.workers.indices { try simulation.work(device) }
      }
      simulation.advance(milliseconds: 19)
      let early = simulation.answer()
      simulation.advance(milliseconds: 1)
      let outcome = simulation.answer()
      result = (outcome ?? early, early != nil, simulation.client.states(now: simulation.now))
    }
    return result
  }

  @Test func whatHasComeIsTheAnswer() throws {
    let (outcome, early, states) = try outcome { $0 != 2 }
    #expect(!early && outcome?.hasParts == true)
    #expect(Set(outcome?.fills.fills.map(\.device) ?? []) == [2])
    // The device may be as fast as ever: only this caller did not wait for it.
    #expect(states == [.alive, .alive, .alive])
  }

  @Test func withoutAnythingThereIsNoAnswer() throws {
    let (outcome, early, states) = try outcome { _ in false }
    #expect(!early && outcome?.hasParts == false)
    #expect(states == [.alive, .alive, .alive])
  }

  @Test func whoeverIsFastEnoughLosesNothing() throws {
    let (outcome, early, _) = try outcome { _ in true }
    #expect(early && outcome?.fills.fills.isEmpty == true)
  }
}
