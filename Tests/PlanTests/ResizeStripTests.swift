import Engine
import Foundations
import Kernels
import ModelGraph
import Plan
import Planning
import Tensors
import TestSupport
import Testing

@Suite("Row strips of other heights")
struct ResizeStripTests {
  private func same(_ values: [Float]?, _ reference: [Float]?) -> Bool {
    guard let values, let reference, values.count == reference.count else { return false }
    return zip(values, reference).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
  }

  /// Some devices with random shares, and random halos; behind the strips everybody holds everything.
  private func divided(
    _ graph: Graph, nodes: [Int], _ generator: inout SeededGenerator
  ) throws -> Plan? {
    let count = generator.int(1...16)
    var shares = (0..<count).map { _ in Double(generator.int(0...3)) }
    shares[generator.int(0...count - 1)] += 1
    let all = try Strips(graph, nodes: nodes, halos: [])
    let halos = all.axes.keys.sorted().filter { _ in Bool.random(using: &generator) }
    let strips = try Strips(graph, nodes: nodes, halos: Set(halos))
    guard let sharding = try? Sharding(graph, strips: strips) else { return nil }
    let placements = sharding.layers.map { layer in
      LayerPlacement(
        holders: (0..<layer.neurons).map { neuron in (0..<count).map { (neuron + $0) % count } })
    }
    return try plan(graph, placements, shares: shares, strips: strips)
  }

  private func attendances(_ count: Int, _ generator: inout SeededGenerator) -> [[Bool]] {
    (0..<5).map { round in
      var alive = (0..<count).map { _ in round == 0 || Bool.random(using: &generator) }
      alive[generator.int(0...count - 1)] = true
      return alive
    }
  }

  @Test("resizes give the same numbers, whoever is there", arguments: 0..<150)
  func exact(seed: Int) throws {
    var generator = SeededGenerator(UInt64(seed) &* 17 &+ 3)
    let (graph, count) = try RandomGraph.sampled(seed: UInt64(seed))
    let nodes = Strips.front(of: graph, end: count)
    // Pooling with a window that hangs over ends the front sooner.
    try #require(!nodes.isEmpty)
    let plan = try #require(try divided(graph, nodes: nodes, &generator))
    let input = RandomGraph.input(of: graph, seed: UInt64(seed))
    let reference = try Execution(try Program(graph)).run(inputs: [input])[0].floats
    let devices = try cluster(plan, graph)
    for alive in attendances(plan.devices.count, &generator) {
      let output = try devices.run([input], alive: alive)[0].floats
      #expect(same(output, reference), "seed \(seed), alive \(alive)")
    }
  }

  @Test("layers among them compute what the whole model does", arguments: 0..<120)
  func amongLayers(seed: Int) throws {
    var generator = SeededGenerator(UInt64(seed) &* 19 &+ 4)
    let graph = try RandomGraph.resized(seed: UInt64(seed))
    let nodes = Strips.front(of: graph, end: generator.int(1...graph.nodes.count))
    guard !nodes.isEmpty, let plan = try divided(graph, nodes: nodes, &generator) else { return }
    let input = RandomGraph.input(of: graph, seed: UInt64(seed))
    let reference = try whole(graph, input)
    let devices = try cluster(plan, graph)
    for alive in attendances(plan.devices.count, &generator) {
      let output = try devices.run([input], alive: alive)[0].floats ?? []
      let error = relativeError(output, reference)
      #expect(error < 1e-3, "seed \(seed), alive \(alive): relative error \(error)")
    }
  }

  /// conv 4 rows, doubled by the nearest row or by a transposed convolution, conv.
  @Test("before what doubles rows the halo is smaller", arguments: [false, true])
  func haloBeforeDoubling(isTransposed: Bool) throws {
    var builder = GraphBuilder(name: "doubled")
    let x = builder.addInput(name: "x", shape: [1, 2, 4, 4])
    func weights(_ shape: Shape, _ name: String) -> ValueID {
      builder.add(
        constant: Tensor(shape, (0..<shape.count).map { Float($0 % 5) - 2 }), name: name)
    }
    let three = Convolution(kernel: Pair(3, 3), padding: Padding(1, 1, 1, 1))
    let first = try builder.add(
      .convolution(three), [x, weights([2, 2, 3, 3], "w1")], name: "one")
    let doubled: ValueID
    if isTransposed {
      doubled = try builder.add(
        .convolution(
          Convolution(kernel: Pair(2, 2), padding: Padding(1, 1, 1, 1), spread: Pair(2, 2))),
        [first, weights([2, 2, 2, 2], "w2")], name: "two")
    } else {
      let axes = [2, 3].map { Resize.Axis(axis: $0, extent: 8, scale: 2) }
      doubled = try builder.add(
        .resize(Resize(filter: .nearest, axes: axes)), [first], name: "two")
    }
    let third = try builder.add(
      .convolution(three), [doubled, weights([2, 2, 3, 3], "w3")], name: "three")
    let flat = try builder.add(.reshape, [third], name: "flat", shape: [1, 128])
    let scores = try builder.add(.dense(Dense()), [flat, weights([3, 128], "w4")], name: "scores")
    try builder.addOutput(scores, name: "scores")
    let strips = try #require(StripFront(builder.graph).strips(end: 3))
    #expect(builder.graph[doubled].shape == [1, 2, 8, 8])
    #expect(strips.nodes == [0, 1, 2])
    #expect(strips.halos == [first])
    // Of two devices each computes five of the eight rows for its four, from two of its own and one more.
    let plan = try plan(builder.graph, shares: [1, 1], method: .lop, strips: strips)
    for device in 0..<2 {
      let program = plan.program(device: device).graph
      let node = try #require(program.nodes.first { $0.name == "two" })
      #expect(program[node.output].shape == [1, 2, 5, 8])
      #expect(program[node.inputs[0]].shape == [1, 2, 3, 4])
    }
  }
}
