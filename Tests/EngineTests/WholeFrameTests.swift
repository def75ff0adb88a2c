import Engine
import Foundations
import ModelGraph
import Plan
import Planning
import Processes
import Resilience
import Tensors
import TestSupport
import Testing
import WireProtocol

extension TinyModel {
  /// Every device holds the whole model.
  static func withWhole(devices: Int = 3, _ body: (TinyModel) throws -> Void) throws {
    let graph = try Self.graph()
    let maker = try PlanMaker(
      try PlanningMethods.standard.named("whole"), measuring: Measuring(threads: 1))
    let layout = try maker.layout(of: graph, wishes: DeviceWishes(count: devices))
    let context = PlacingContext(
      graph: graph, model: .init(name: graph.name, sha256: "", preprocessing: nil, labels: []),
      layout: layout)
    let plan = try maker.make(context).plan
    try TemporaryFolder.with(prefix: "martlet-test") { path in
      _ = try PlanFolder.write(plan, graph: graph, to: path + "/plan")
      let folder = try PlanFolder(reading: path + "/plan")
      try body(
        TinyModel(
          folder: folder,
          engines: try (0..<devices).map { try DeviceEngines(folder: folder, device: $0) },
          client: try DeviceEngines(folder: folder, device: nil)))
    }
  }
}

/// Plans in which each frame goes to one device, on a network and a clock that the test controls.
@Suite struct WholeFrameTests {
  private func simulate(
    limit: UInt64 = 5_000_000_000, replicas: Replicas = .standby,
    _ body: (Simulation) throws -> Void
  ) throws {
    try TinyModel.withWhole { model in
      let simulation = Simulation(model, limit: limit, replicas: replicas)
      simulation.announceAll()
      try body(simulation)
    }
  }

  /// What a client keeps of frames: sends again those that ended without an answer.
  private final class Frames {
    let simulation: Simulation
    private var next: UInt64 = 1
    /// By number on the wire, the caller's.
    private(set) var open: [UInt64: Int] = [:]
    /// By the caller's number, the device that answered.
    private(set) var answered: [Int: Int] = [:]
    private(set) var sentAgain: [Int] = []

    init(_ simulation: Simulation) { self.simulation = simulation }

    func submit(_ number: Int, to devices: [Int]? = nil) throws {
      let oldest = open.keys.min() ?? next
      open[next] = number
      try simulation.send(
        next, input: simulation.model.input(number), to: devices, oldest: oldest)
      next += 1
    }

    /// Takes all frames that have ended.
    func collect() throws {
      while let outcome = simulation.answer() {
        let known = open.removeValue(forKey: outcome.key.frame)
        let number = try #require(known)
        guard outcome.hasParts else {
          simulation.client.recycle(outcome)
          sentAgain.append(number)
          try submit(number)
          continue
        }
        #expect(answered[number] == nil, "frame \(number) is answered twice")
        answered[number] = outcome.roles.roles.firstIndex(of: .awaited)
        #expect(!outcome.isNull && outcome.fills.isEmpty)
        let expected = try simulation.model.whole(simulation.model.input(number))
        #expect(simulation.outputs(outcome) == expected, "frame \(number)")
        simulation.client.recycle(outcome)
      }
    }

    /// Works until nothing moves and nothing is sent again.
    func settle() throws {
      var before: Int
      repeat {
        before = sentAgain.count
        try simulation.settle()
        try collect()
      } while sentAgain.count > before
    }
  }

  private func queues(_ simulation: Simulation) -> [Int] {
    simulation.workers.map(\.queueLength)
  }

  private func beat(_ simulation: Simulation, _ devices: [Int]) {
    for device in devices { simulation.beat(device) }
  }

  // MARK: Nobody fails

  @Test func framesAreSpreadOverTheDevices() throws {
    try simulate { simulation in
      let frames = Frames(simulation)
      for number in 1...6 { try frames.submit(number) }
      #expect(queues(simulation) == [2, 2, 2])
      try frames.settle()
      #expect(frames.answered.count == 6 && frames.sentAgain.isEmpty)
      #expect(Set(frames.answered.values) == [0, 1, 2])
      // The others did not even look at it.
      #expect(simulation.workers.allSatisfy { $0.counters.framesFinished == 2 })
    }
  }

  @Test func devicesThatAreFullGetNoFrames() throws {
    try simulate { simulation in
      func say(_ device: Int, isFull: Bool) {
        simulation.client.heartbeat(
          Heartbeat(
            epoch: 100, sequence: 2, frame: 0, queue: 9, residentBytes: 1, isFull: isFull),
          of: "d\(device)", now: simulation.now)
      }
      func departure(isUrgent: Bool = false) -> String? {
        simulation.client.departure(isUrgent: isUrgent, now: simulation.now)?.text
      }
      say(0, isFull: true)
      say(1, isFull: true)
      #expect(departure() == "--a")
      say(2, isFull: true)
      #expect(departure() == nil)
      #expect(departure(isUrgent: true) != nil)
      say(1, isFull: false)
      #expect(departure() == "-a-")
    }
  }

  @Test func tiersDoNotDispatch() throws {
    try TinyModel.withTiers { #expect(!Simulation($0).client.dispatches) }
  }

  @Test func activeReplicasAllComputeEachFrame() throws {
    try simulate(replicas: .active) { simulation in
      #expect(!simulation.client.dispatches)
      try simulation.send(1, input: simulation.model.input(1))
      #expect(queues(simulation) == [1, 1, 1])
      try simulation.settle()
      let outcome = try #require(simulation.answer())
      #expect(try simulation.outputs(outcome) == simulation.model.whole(simulation.model.input(1)))
    }
  }

  /// In one process any device answers, and none only when none is there.
  @Test(arguments: 0..<8, Replicas.allCases)
  func anyDeviceIsEnough(_ mask: Int, _ replicas: Replicas) throws {
    try TinyModel.withWhole { model in
      let alive = (0..<3).map { mask >> $0 & 1 == 1 }
      let input = model.input(mask)
      let answer = try LocalCluster(devices: model.engines, client: model.client).answer(
        input, ticket: 0, alive: alive, replicas: replicas)
      guard mask != 0 else {
        #expect(answer.guess != nil || answer.outputs.isEmpty)
        return
      }
      #expect(answer.guess == nil)
      #expect(try answer.outputs == model.whole(input))
      if replicas == .standby { #expect(!answer.isDegraded) }
    }
  }

  // MARK: Devices fail

  /// Each device in turn, and two of three.
  @Test(arguments: [[0], [1], [2], [0, 1], [0, 2], [1, 2]])
  func framesOfDevicesThatDieGoToOthers(_ dead: [Int]) throws {
    try simulate { simulation in
      let frames = Frames(simulation)
      for number in 1...9 { try frames.submit(number) }
      #expect(queues(simulation) == [3, 3, 3])
      for device in dead {
        simulation.dead.insert(device)
        simulation.announce(device, .lost)
      }
      try frames.settle()
      #expect(frames.answered.count == 9 && frames.open.isEmpty)
      #expect(frames.sentAgain.count == 3 * dead.count)
      #expect(Set(frames.answered.values).isDisjoint(with: dead))
    }
  }

  @Test func answersCountWhoCouldHaveHadTheFrame() throws {
    try simulate { simulation in
      try simulation.send(1, input: simulation.model.input(1))
      try simulation.settle()
      let first = try #require(simulation.answer())
      #expect(first.awaited == [true, true, true] && first.roles.text == "a--")
      simulation.announce(1, .lost)
      _ = simulation.client.takeChanges(now: simulation.now)
      try simulation.send(2, input: simulation.model.input(2))
      try simulation.settle()
      let second = try #require(simulation.answer())
      #expect(second.awaited == [true, false, true])
      let answer = Answer(
        second, ticket: 1, attempts: 1, latencyNanoseconds: 0, study: nil, guessSeed: 0)
      #expect(!answer.isDegraded && answer.reliability == .complete)
      #expect(answer.present.count == 1 && answer.awaited == [true, false, true])
    }
  }

  /// It lives as far as anybody knows, and says nothing any more.
  @Test func framesOfASilentDeviceGoToOthers() throws {
    try simulate { simulation in
      let frames = Frames(simulation)
      for number in 1...3 { try frames.submit(number) }
      simulation.dead = [1]
      try frames.settle()
      #expect(frames.answered.count == 2 && frames.sentAgain.isEmpty)
      for _ in 0..<4 {
        simulation.advance(milliseconds: 400)
        beat(simulation, [0, 2])
        try frames.settle()
      }
      #expect(frames.answered.count == 3 && frames.sentAgain == [2])
      // It comes back, and what it has computed meanwhile is not used, but shows that it works.
      simulation.dead = []
      simulation.beat(1)
      try frames.settle()
      #expect(frames.answered.count == 3)
      #expect(simulation.client.states(now: simulation.now) == [.alive, .alive, .alive])
    }
  }

  /// Its heart beats, but the input was lost on the way: it is suspect, and would never get a frame
  /// again to show that it works.
  @Test func aSuspectIsTriedWithCopies() throws {
    try simulate(limit: 2_000_000_000) { simulation in
      let client = simulation.client
      let frames = Frames(simulation)
      for number in 1...3 { try frames.submit(number, to: [0, 2]) }
      try frames.settle()
      for _ in 0..<5 {
        simulation.advance(milliseconds: 400)
        beat(simulation, [0, 1, 2])
        try frames.settle()
      }
      #expect(frames.answered.count == 3 && frames.sentAgain == [2])
      #expect(client.states(now: simulation.now) == [.alive, .suspect, .alive])
      for number in 4...7 { try frames.submit(number) }
      try frames.settle()
      #expect((4...7).allSatisfy { frames.answered[$0] != 1 })
      #expect(client.probe(now: simulation.now) == nil)
      for _ in 0..<3 {
        simulation.advance(milliseconds: 400)
        beat(simulation, [0, 1, 2])
      }
      #expect(client.probe(now: simulation.now) == 1)
      let copy = try simulation.inputMessage(
        1000, input: simulation.model.input(8), roles: "-a-:0")
      simulation.workers[1].input(copy, client: "cam", now: simulation.now)
      try frames.settle()
      #expect(client.states(now: simulation.now) == [.alive, .alive, .alive])
      #expect(frames.answered.count == 7)
    }
  }

  /// What cannot be right is no answer where another device can give one.
  @Test func aFrameOfNonsenseGoesToAnother() throws {
    try simulate { simulation in
      let frames = Frames(simulation)
      try frames.submit(1)
      for device in 0..<3 { try simulation.work(device) }
      let good = try #require(simulation.network.first)
      simulation.network = []
      let shape = simulation.model.folder.plan.exchanges[0].shape
      let nonsense = try simulation.part(
        exchange: 0, device: good.sender, frame: 1,
        values: Array(repeating: .nan, count: shape.count), shape: shape)
      simulation.deliver(nonsense)
      try frames.settle()
      #expect(frames.sentAgain == [1] && frames.answered.count == 1)
      #expect(frames.answered[1] != good.sender)
    }
  }

  /// Everybody has gone: nobody is asked, and the frame is kept for whoever comes back.
  @Test func withNobodyThereFramesWait() throws {
    try simulate { simulation in
      for device in 0..<3 { simulation.announce(device, .lost) }
      #expect(simulation.client.departure(isUrgent: true, now: simulation.now) == nil)
      #expect(simulation.client.probe(now: simulation.now) == nil)
      simulation.epochs[1] += 1
      simulation.announce(1)
      #expect(simulation.client.departure(isUrgent: false, now: simulation.now)?.text == "-a-")
    }
  }

  /// Another client's answers come on the same topics.
  @Test func answersToOthersAreNotCounted() throws {
    try simulate { simulation in
      let frames = Frames(simulation)
      try frames.submit(1)
      simulation.deliver(
        try simulation.part(
          exchange: 0, device: 0, frame: 1, values: [1, 2, 3, 4], shape: [1, 4], client: "other"))
      try frames.collect()
      #expect(frames.answered.isEmpty)
      try frames.settle()
      #expect(frames.answered == [1: 0])
    }
  }
}
