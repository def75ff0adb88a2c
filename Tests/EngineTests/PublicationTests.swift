import Engine
import Foundations
import Plan
import TestSupport
import Testing
import WireProtocol

/// What a device sends.
@Suite struct PublicationTests {
  /// What a device computes alone is for the client alone.
  @Test func nothingIsSentThatNobodyReads() throws {
    for publishesAll in [false, true] {
      try TinyModel.with { model in
        let simulation = Simulation(model, limits: { $0.publishesAll = publishesAll })
        simulation.announce(0)
        try simulation.send(1, input: model.input(1), oldest: 1)
        var sent: Set<Int> = []
        try simulation.settle { message in
          sent.insert(message.exchange)
          return true
        }
        let last = model.folder.plan.exchanges.count - 1
        #expect(publishesAll ? sent.count > 1 : sent == [last], "\(sent)")
        let outcome = try #require(simulation.answer())
        #expect(outcome.hasParts)
        simulation.client.recycle(outcome)
      }
    }
  }
}
