import Engine
import Foundations
import ModelGraph
import Plan
import Planning
import Tensors
import TestSupport
import Testing

/// The values of nodes that are divided by rows: not of those that take means over rows.
private func dividedValues(_ graph: Graph, _ nodes: [Int]) -> [ValueID] {
  nodes.compactMap { index in
    if case .reduction(let reduction) = graph.nodes[index].operation, reduction.axes.contains(2) {
      nil
    } else {
      graph.nodes[index].output
    }
  }
}

private func randomHalos(
  _ graph: Graph, _ nodes: [Int], _ generator: inout SeededGenerator
) -> Set<ValueID> {
  Set(dividedValues(graph, nodes).filter { _ in Bool.random(using: &generator) })
}

@Suite("Row strips")
struct StripTests {
  /// Random nodes at the front, random halos, on devices with random shares.
  private struct Trial {
    let graph: Graph
    let shares: [Double]
    let plan: Plan
    let description: String

    init?(seed: UInt64) throws {
      var generator = SeededGenerator(seed &* 31 &+ 5)
      let isWindows = Bool.random(using: &generator)
      let graph = try isWindows ? RandomGraph.windows(seed: seed) : RandomGraph.network(seed: seed)
      let count = Int.random(in: 1...16, using: &generator)
      var shares = (0..<count).map { _ in Double(Int.random(in: 0...3, using: &generator)) }
      shares[Int.random(in: 0..<count, using: &generator)] += 1
      let end = Int.random(in: 1...graph.nodes.count, using: &generator)
      let nodes = Strips.front(of: graph, end: end)
      guard !nodes.isEmpty else { return nil }
      let strips = try Strips(graph, nodes: nodes, halos: randomHalos(graph, nodes, &generator))
      guard (try? Sharding(graph, strips: strips)) != nil else { return nil }
      self.graph = graph
      self.shares = shares
      plan = try PlanTests.plan(graph, shares: shares, method: .lop, strips: strips)
      description = "seed \(seed), \(nodes.count) of \(graph.nodes.count) nodes, shares \(shares)"
    }
  }

  @Test("compute what the whole model does, whoever is there", arguments: 0..<150)
  func exact(seed: Int) throws {
    guard let trial = try Trial(seed: UInt64(seed)) else { return }
    let input = RandomGraph.input(of: trial.graph, seed: UInt64(seed))
    let reference = try whole(trial.graph, input)
    let devices = try cluster(trial.plan, trial.graph)
    let all = try devices.run(
      [input], alive: Array(repeating: true, count: trial.shares.count))[0].floats
    let error = relativeError(all ?? [], reference)
    #expect(error < 1e-4, "\(trial.description): relative error \(error)")
  }

  @Test("lose nothing with any device, as long as one is left", arguments: 0..<60)
  func survivorsCutAnew(seed: Int) throws {
    var generator = SeededGenerator(UInt64(seed))
    let graph = try RandomGraph.windows(seed: UInt64(seed))
    let nodes = Strips.front(of: graph, end: graph.nodes.count)
    guard !nodes.isEmpty else { return }
    let strips = try Strips(graph, nodes: nodes, halos: randomHalos(graph, nodes, &generator))
    let count = Int.random(in: 2...5, using: &generator)
    let shares = [Double](repeating: 1, count: count)
    // Behind the strips everybody holds everything.
    let sharding = try Sharding(graph, strips: strips)
    let placements = sharding.layers.map { layer in
      LayerPlacement(
        holders: (0..<layer.neurons).map { neuron in (0..<count).map { (neuron + $0) % count } })
    }
    let plan = try plan(graph, placements, shares: shares, strips: strips)
    let input = RandomGraph.input(of: graph, seed: UInt64(seed))
    let reference = try whole(graph, input)
    let devices = try cluster(plan, graph)
    for replicas in Replicas.allCases {
      for mask in 1..<(1 << count) {
        let alive = (0..<count).map { mask >> $0 & 1 == 1 }
        let output = try devices.run([input], alive: alive, replicas: replicas)[0].floats ?? []
        let error = relativeError(output, reference)
        #expect(error < 1e-4, "seed \(seed), alive \(alive), \(replicas): relative error \(error)")
      }
    }
  }

  @Test("combine with codes behind them", arguments: 0..<20)
  func coded(seed: Int) throws {
    let graph = try RandomGraph.windows(seed: UInt64(seed))
    let nodes = Strips.front(of: graph, end: graph.nodes.count / 2)
    guard !nodes.isEmpty else { return }
    let front = StripFront(graph)
    guard let strips = front.strips(end: graph.nodes.count / 2) else { return }
    let made = try PlanMaker(
      try #require(PlanningMethods.standard["coded"]), options: ["tolerate": "1"])
    let layout = PlanLayout(
      devices: (0..<4).map { Plan.Device(name: "d\($0)") },
      sharding: try Sharding(graph, strips: strips))
    let plan = try made.make(
      PlacingContext(
        graph: graph,
        model: Plan.Model(name: graph.name, sha256: "", preprocessing: nil, labels: []),
        layout: layout)
    ).plan
    let input = RandomGraph.input(of: graph, seed: UInt64(seed))
    let reference = try whole(graph, input)
    let devices = try cluster(plan, graph)
    for lost in 0..<4 {
      let output = try devices.run([input], alive: (0..<4).map { $0 != lost })[0].floats ?? []
      #expect(relativeError(output, reference) < 1e-3, "seed \(seed), lost \(lost)")
    }
  }

  @Test("a device reads rows of its neighbours only, and sends no others")
  func neighbours() throws {
    let graph = try RandomGraph.windows(seed: 2)
    let nodes = Strips.front(of: graph, end: graph.nodes.count)
    let strips = try Strips(
      graph, nodes: nodes, halos: Set(dividedValues(graph, nodes)))
    let plan = try plan(graph, shares: [1, 1, 1, 1], method: .lop, strips: strips)
    for device in 0..<4 {
      let program = plan.program(device: device)
      for publication in program.publications {
        let point = plan.exchanges[publication.exchange]
        guard let reader = point.reader else { continue }
        let theirs = plan.program(device: reader)
        let gathering = theirs.gatherings.first { $0.exchange == publication.exchange }
        let part = try #require(gathering?.part(of: device))
        #expect(part.shape == program.graph[publication.value].shape)
      }
      for gathering in program.gatherings {
        for part in gathering.parts where part.device != device {
          let sent = plan.program(device: part.device).publications.contains {
            $0.exchange == gathering.exchange
          }
          #expect(sent, "\(plan.exchanges[gathering.exchange].id) from \(part.device)")
        }
      }
    }
  }

  @Test("a device reads no rows of the input but those that are sent to it", arguments: 0..<40)
  func inputRows(seed: Int) throws {
    guard let trial = try Trial(seed: UInt64(seed)), trial.plan.dividesInput else { return }
    let rows = try #require(trial.plan.inputRows(.everyone(trial.shares.count)))
    let height = trial.graph[trial.graph.inputs[0]].shape[2]
    for (device, mine) in rows.enumerated() {
      #expect(!mine.isEmpty && mine.clamped(to: 0..<height) == mine, "\(trial.description)")
      let program = trial.plan.program(device: device).graph
      for node in program.nodes where node.inputs.contains(program.inputs[0]) {
        var read = 0..<height
        if case .slice(let ranges) = node.operation {
          read = ranges[2].start..<(ranges[2].start + ranges[2].count)
        }
        #expect(read.clamped(to: mine) == read, "\(trial.description), device \(device)")
      }
    }
  }

  /// Whatever a device gathers in any attendance, it has subscribed to.
  @Test("every exchange that may be gathered is known beforehand", arguments: 0..<20)
  func possibleGatherings(seed: Int) throws {
    guard let trial = try Trial(seed: UInt64(seed)) else { return }
    let (plan, count) = (trial.plan, trial.shares.count)
    let absences = [[]] + (0..<count).map { [$0] }
    for device in (0..<min(count, 4)).map(Optional.some) + [nil] {
      let possible = Set(plan.possibleGatherings(device: device))
      for absent in absences where device == nil || !absent.contains(device ?? 0) {
        guard absent.count < count else { continue }
        let attendance = Attendance(alive: (0..<count).map { !absent.contains($0) })
        let gathered = plan.program(device: device, attendance: attendance).gatherings
        #expect(
          possible.isSuperset(of: gathered.map(\.exchange)),
          "\(trial.description), device \(device ?? -1) without \(absent)")
      }
      for number in possible {
        let reader = plan.exchanges[number].reader
        #expect(reader == nil || reader == device, "\(trial.description)")
      }
    }
  }

  @Test("what 64 devices may gather is what they do, and all halos of their own")
  func manyDevices() throws {
    let graph = try RandomGraph.windows(seed: 2)
    let nodes = Strips.front(of: graph, end: graph.nodes.count)
    let strips = try Strips(graph, nodes: nodes, halos: Set(dividedValues(graph, nodes)))
    let shares = [Double](repeating: 1, count: 64)
    let plan = try plan(graph, shares: shares, method: .lop, strips: strips)
    for device in [0, 1, 31, 63] {
      let possible = Set(plan.possibleGatherings(device: device))
      #expect(
        possible.isSuperset(of: plan.program(device: device).gatherings.map(\.exchange)))
      #expect(
        possible.isSuperset(
          of: plan.exchanges.indices.filter { plan.exchanges[$0].reader == device }))
    }
  }
}
