import Engine
import Foundations
import Plan
import Planning
import Tensors
import TestSupport
import Testing
import WireProtocol

/// Messages that are of no use, or damaged: they are counted and change nothing.
@Suite struct CoreNoiseTests {
  @Test func uselessPartsAreCountedAndChangeNothing() throws {
    try simulate { simulation in
      let input = simulation.model.input(1)
      try simulation.send(1, input: input)
      try simulation.work(0)
      let worker = simulation.workers[0]
      func give(_ message: Simulation.Message) {
        worker.part(message.payload, on: message.topic, now: simulation.now)
      }
      let good = try simulation.part(exchange: 0, device: 1, frame: 1)
      give(try simulation.part(exchange: 0, device: 1, frame: 1, plan: "another"))
      give(try simulation.part(exchange: 0, device: 1, frame: 1, shape: [1, 1]))
      give(try simulation.part(exchange: 0, device: 1, frame: 1, epoch: 99))
      give(try simulation.part(exchange: 2, device: 1, frame: 1))
      worker.part(good.payload, on: .presence(device: "d1"), now: simulation.now)
      worker.part(good.payload, on: .activation(layer: "hidden", device: "d2"), now: simulation.now)
      worker.part([], on: good.topic, now: simulation.now)
      worker.part(Array(good.payload.dropLast()), on: good.topic, now: simulation.now)
      give(try simulation.part(exchange: 0, device: 1, frame: 1, client: ""))
      #expect(
        worker.drops.totals == [
          .wrongPlan: 1, .wrongShape: 1, .staleEpoch: 1, .unknownLayer: 1, .unknownTopic: 1,
          .topicDisagrees: 1, .garbage: 3,
        ])
      try simulation.settle()
      #expect(simulation.network.isEmpty)
      let outcome = try #require(simulation.answer())
      #expect(try simulation.outputs(outcome) == simulation.model.expected(input))
      // What comes again is a duplicate while the frame runs, and late afterwards.
      give(good)
      #expect(worker.drops.total(.late) == 1)
    }
  }

  @Test func duplicatesAreCountedOnce() throws {
    try simulate { simulation in
      try simulation.send(1, input: simulation.model.input(1))
      try simulation.work(0)
      let early = try simulation.part(exchange: 1, device: 1, frame: 1)
      let now = try simulation.part(exchange: 0, device: 1, frame: 1)
      for part in [early, early, now, now] {
        simulation.workers[0].part(part.payload, on: part.topic, now: simulation.now)
      }
      #expect(simulation.workers[0].drops.totals == [.duplicate: 2])
    }
  }

  @Test func uselessInputsAreCounted() throws {
    try simulate { simulation in
      let worker = simulation.workers[0]
      let input = simulation.model.input(1)
      func give(_ payload: [UInt8], client: String = "cam") {
        worker.input(payload, client: client, now: simulation.now)
      }
      give([])
      give(try simulation.inputMessage(1, input: input, roles: "aa"))
      give(try simulation.inputMessage(1, input: input, roles: "aax"))
      give(try simulation.inputMessage(1, input: input, roles: "aaa"), client: "other")
      give(try simulation.inputMessage(1, input: input, roles: "aaa", plan: "another"))
      give(try simulation.inputMessage(1, input: Tensor([1, 2], [1, 2] as [Float]), roles: "aaa"))
      #expect(
        worker.drops.totals == [.garbage: 3, .topicDisagrees: 1, .wrongPlan: 1, .wrongShape: 1])
      #expect(worker.queueLength == 0)
      give(try simulation.inputMessage(3, input: input, roles: "aaa"))
      give(try simulation.inputMessage(3, input: input, roles: "aaa"))
      give(try simulation.inputMessage(2, input: input, roles: "aaa"))
      #expect(worker.drops.total(.late) == 2)
      #expect(worker.queueLength == 1)
    }
  }

  /// Random damage to good messages never stops a worker or a client.
  @Test(arguments: 1...8)
  func damagedMessagesNeverCrash(_ seed: UInt64) throws {
    try simulate { simulation in
      var random = SeededGenerator(seed)
      let topics = simulation.model.folder.plan.exchanges.map {
        Topic.activation(layer: $0.id, device: "d1")
      }
      for round in 0..<300 {
        let frame = UInt64.random(in: 0...9, using: &random)
        let exchange = Int.random(in: 0...2, using: &random)
        var part = try simulation.part(
          exchange: exchange, device: 1, frame: frame, note: "lost:1:0"
        ).payload
        var input = try simulation.inputMessage(
          frame, input: simulation.model.input(round), roles: "aaa")
        for _ in 0..<Int.random(in: 0...4, using: &random) {
          part[Int.random(in: part.indices, using: &random)] = .random(in: 0...255, using: &random)
          input[Int.random(in: input.indices, using: &random)] = .random(
            in: 0...255, using: &random)
        }
        let topic = topics[Int.random(in: 0...2, using: &random)]
        simulation.workers[0].part(part, on: topic, now: simulation.now)
        simulation.client.part(part, on: topic, now: simulation.now)
        simulation.workers[0].input(input, client: "cam", now: simulation.now)
        simulation.advance(milliseconds: 100)
        try simulation.work(0)
        simulation.network = []
        #expect(simulation.workers[0].queueLength <= 12, "seed \(seed)")
      }
      let bad = simulation.workers[0].drops.totals.values.reduce(0, +)
      #expect(bad > 0 && bad < 600, "seed \(seed)")
    }
  }
}
