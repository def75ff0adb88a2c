import Engine
import Foundations
import Plan
import Planning
import Tensors
import TestSupport
import Testing
import WireProtocol

/// Waiting by what is lost, with messages and time in the test's hands.
@Suite struct ConsequenceCoreTests {
  private typealias Placing = ([LayerTraits]) throws -> [LayerPlacement]
  private static let shares = [1.0, 1.0, 1.0]

  private func simulate(
    _ placing: Placing? = nil, replicas: Replicas = .standby, warmUp: Int = 20,
    _ body: (Simulation) throws -> Void
  ) throws {
    try TinyModel.with(placing: placing) { model in
      let simulation = Simulation(model, deadline: .standard, replicas: replicas)
      simulation.promise = 100
      simulation.announceAll()
      for frame in 0..<UInt64(warmUp) {
        let (outcomes, elapsed) = try fly(simulation, [frame + 1])
        #expect(outcomes.allSatisfy(\.fills.isEmpty) && elapsed == 0)
      }
      try body(simulation)
    }
  }

  private func coded(_ layers: [LayerTraits]) throws -> [LayerPlacement] {
    try Planning.Placing.coded(layers, shares: Self.shares, tolerating: 1)
  }

  /// Frames sent at once; time passes in milliseconds until all are answered.
  ///
  /// - Parameters:
  ///   - stall: which device stands still, and for how many milliseconds from the start.
  ///   - mute: a device whose parts come nowhere although it beats.
  private func fly(
    _ simulation: Simulation, _ frames: [UInt64], stall: (device: Int, milliseconds: Int)? = nil,
    mute: Int? = nil, patience: Int = 6000
  ) throws -> (outcomes: [ClientCore.Outcome], elapsed: Int) {
    let oldest = frames.min() ?? 1
    for frame in frames {
      try simulation.send(frame, input: simulation.model.input(Int(frame)), oldest: oldest)
    }
    var outcomes: [ClientCore.Outcome] = []
    var held: [Simulation.Message] = []
    for elapsed in 0...patience {
      let stalled = stall.flatMap { elapsed < $0.milliseconds ? $0.device : nil }
      if stalled == nil, !held.isEmpty {
        for message in held { simulation.deliver(message) }
        held = []
      }
      try simulation.settle { message in
        if message.sender == stalled { held.append(message) }
        return message.sender != stalled && message.sender != mute
      }
      if elapsed % 100 == 0 {
        for device in 0..<3 where device != stalled && !simulation.dead.contains(device) {
          simulation.beat(device)
        }
      }
      while let outcome = simulation.answer() {
        outcomes.append(outcome)
        simulation.client.recycle(outcome)
      }
      if outcomes.count == frames.count { return (outcomes, elapsed) }
      simulation.advance(milliseconds: 1)
    }
    Issue.record("no answer within \(patience) ms")
    return (outcomes, patience)
  }

  private func lacks(_ outcomes: [ClientCore.Outcome]) -> Set<Int> {
    Set(outcomes.flatMap { $0.fills.fills.map(\.device) })
  }

  /// What one device stands still costs that time, and no answer.
  @Test(arguments: [50, 120, 300], [1, 4])
  func aStallIsWaitedForWhereItCounts(milliseconds: Int, inFlight: UInt64) throws {
    try simulate { simulation in
      for device in 0..<3 {
        let first = 100 + UInt64(device) * 10
        let (outcomes, elapsed) = try fly(
          simulation, Array(first..<first + inFlight), stall: (device, milliseconds))
        #expect(lacks(outcomes).isEmpty, "device \(device)")
        #expect(elapsed <= milliseconds + 1)
        let (after, delay) = try fly(simulation, [first + inFlight])
        #expect(lacks(after).isEmpty && delay == 0)
      }
    }
  }

  /// It says nothing at all for longer than it ever did: half a second after its last word it is given
  /// up, and the frames after that do not wait.
  @Test func whoeverFallsSilentIsGivenUp() throws {
    try simulate { simulation in
      let (outcomes, elapsed) = try fly(simulation, [100, 101, 102, 103], stall: (1, 5000))
      #expect(lacks(outcomes) == [1])
      #expect((400...620).contains(elapsed), "\(elapsed) ms")
      for frame in 104...110 as ClosedRange<UInt64> {
        let (next, delay) = try fly(simulation, [frame], stall: (1, 5000))
        #expect(lacks(next) == [1] && delay == 0, "frame \(frame): \(delay) ms")
      }
    }
  }

  /// A will is believed at once.
  @Test func aDeathIsNotWaitedFor() throws {
    try simulate { simulation in
      try simulation.send(100, input: simulation.model.input(100), oldest: 100)
      simulation.dead = [1]
      try simulation.settle()
      #expect(simulation.answer() == nil)
      simulation.advance(milliseconds: 40)
      try simulation.settle()
      #expect(simulation.answer() == nil)
      simulation.announce(1, .lost)
      try simulation.settle()
      let outcome = try #require(simulation.answer())
      #expect(Set(outcome.fills.fills.map(\.device)) == [1])
    }
  }

  /// A device that beats and whose parts never come costs the bound once.
  @Test func theBoundEndsTheWaitForALivingDevice() throws {
    try simulate { simulation in
      let (outcomes, elapsed) = try fly(simulation, [100], mute: 2)
      #expect(lacks(outcomes) == [2])
      #expect(elapsed == 2000, "\(elapsed) ms")
      let (next, delay) = try fly(simulation, [101], mute: 2)
      #expect(lacks(next) == [2] && delay == 0)
    }
  }

  /// With parity that is always sent nothing is lost without one device, and nobody waits for it.
  @Test func aStallIsNotWaitedForWhereParityMakesUpForIt() throws {
    try simulate(coded, replicas: .active) { simulation in
      let (outcomes, elapsed) = try fly(simulation, [100], stall: (1, 300))
      #expect(lacks(outcomes).isEmpty)
      #expect(elapsed == 30, "\(elapsed) ms")
      let (next, delay) = try fly(simulation, [101], stall: (1, 270))
      #expect(lacks(next).isEmpty && delay == 0)
    }
  }

  /// With one of three gone, a code for one loss covers no other.
  @Test(arguments: Replicas.allCases)
  func aStallBesideALossIsWaitedFor(_ replicas: Replicas) throws {
    try simulate(coded, replicas: replicas) { simulation in
      simulation.dead = [0]
      simulation.announce(0, .lost)
      let (outcomes, elapsed) = try fly(simulation, [100, 101], stall: (2, 300))
      #expect(lacks(outcomes).isEmpty, "\(replicas)")
      #expect(elapsed <= 301)
    }
  }

  /// A device that was late where it was free is not given up where it counts.
  @Test func whoeverWasLateIsWaitedForOnceItCounts() throws {
    try simulate(coded, replicas: .active) { simulation in
      // Device 1 is late and doubted, then device 2 stands still: one of them has to be waited for.
      let (first, _) = try fly(simulation, [100], stall: (1, 200))
      #expect(lacks(first).isEmpty)
      try simulation.send(101, input: simulation.model.input(101), oldest: 101)
      var held: [Simulation.Message] = []
      for elapsed in 0..<400 {
        if elapsed == 200 {
          for message in held { simulation.deliver(message) }
          held = []
        }
        try simulation.settle { message in
          guard elapsed < 200, message.sender != 0 else { return true }
          held.append(message)
          return false
        }
        if elapsed % 100 == 0 { for device in 0..<3 { simulation.beat(device) } }
        if let outcome = simulation.answer() {
          #expect(outcome.fills.fills.isEmpty)
          #expect(elapsed == 200, "\(elapsed) ms")
          return
        }
        simulation.advance(milliseconds: 1)
      }
      Issue.record("no answer")
    }
  }

  /// Where nobody hears anybody it is the broker that stands still.
  @Test func theBrokersSilenceIsNobodys() throws {
    try simulate { simulation in
      try simulation.send(100, input: simulation.model.input(100), oldest: 100)
      var held: [Simulation.Message] = []
      for elapsed in 0..<1200 {
        if elapsed == 1000 {
          for message in held { simulation.deliver(message) }
          held = []
        }
        try simulation.settle { message in
          if elapsed < 1000 { held.append(message) }
          return elapsed >= 1000
        }
        if elapsed > 1000, elapsed % 100 == 0 {
          for device in 0..<3 { simulation.beat(device) }
        }
        if let outcome = simulation.answer() {
          #expect(outcome.fills.fills.isEmpty, "after \(elapsed) ms")
          return
        }
        simulation.advance(milliseconds: 1)
      }
      Issue.record("no answer")
    }
  }

  // MARK: Numbers that are none

  /// A device that computes NaN counts as lost: in the frame in which it begins its part is missing at
  /// once, and from the next on others stand in.
  @Test(arguments: [Float.nan, .infinity])
  func nonsenseIsStoodInFor(_ value: Float) throws {
    try simulate(coded) { simulation in
      func frame(_ number: UInt64) throws -> ClientCore.Outcome? {
        try simulation.send(number, input: simulation.model.input(Int(number)), oldest: number)
        for elapsed in 0..<50 {
          var messages: [Simulation.Message] = []
          repeat {
            messages = try simulation.network.map { message in
              guard message.sender == 1 else { return message }
              return try spoiled(message, simulation, value)
            }
            simulation.network = []
            for message in messages { simulation.deliver(message) }
            for device in 0..<3 { try simulation.work(device) }
          } while !simulation.network.isEmpty
          if elapsed == 0 { for device in 0..<3 { simulation.beat(device) } }
          if let outcome = simulation.answer() { return outcome }
          simulation.advance(milliseconds: 1)
        }
        return nil
      }
      let first = try #require(try frame(100))
      #expect(first.fills.fills.contains { $0.device == 1 && $0.reason == .corrupt })
      #expect(simulation.workers[0].drops.totals[.notFinite] ?? 0 > 0)
      let reference = try simulation.model.whole(simulation.model.input(101))[0].floats ?? []
      let second = try #require(try frame(101))
      #expect(second.fills.fills.isEmpty)
      let values = simulation.outputs(second)[0].floats ?? []
      #expect(zip(values, reference).allSatisfy { abs($0 - $1) < 1e-4 })
    }
  }

  /// The same part with one number that is none.
  private func spoiled(
    _ message: Simulation.Message, _ simulation: Simulation, _ value: Float
  ) throws -> Simulation.Message {
    var copy = message
    let (header, values) = try message.payload.withUnsafeBytes { bytes in
      let tensor = try TensorMessage(decoding: bytes)
      var values = [Float](repeating: 0, count: tensor.count)
      values.withUnsafeMutableBufferPointer { tensor.copyElements(into: $0) }
      return (tensor.header, values)
    }
    guard !values.isEmpty else { return message }
    var wrong = values
    wrong[wrong.count / 2] = value
    copy.payload = try simulation.encode(header, wrong)
    return copy
  }

  // MARK: Epochs

  /// A part that claims a later epoch, forged or damaged, shuts nobody out.
  @Test(arguments: [101, Epoch.maximum] as [UInt64])
  func aPartWithATooHighEpochShutsNobodyOut(_ epoch: UInt64) throws {
    try simulate { simulation in
      for exchange in 0..<3 {
        simulation.deliver(
          try simulation.part(exchange: exchange, device: 1, frame: 5000, epoch: epoch))
      }
      for frame in 100...110 as ClosedRange<UInt64> {
        let (outcomes, elapsed) = try fly(simulation, [frame])
        #expect(lacks(outcomes).isEmpty && elapsed == 0)
      }
      #expect(simulation.client.states(now: simulation.now) == [.alive, .alive, .alive])
      #expect(simulation.workers.allSatisfy { $0.drops.totals[.staleEpoch] == nil })
    }
  }
}
