import Engine
import Foundations
import ModelGraph
import Plan
import Planning
import Tensors
import TestSupport
import Testing

@Suite("A split model computes what the whole one does")
struct DistributionTests {
  @Test("random networks on 1 to 16 devices with random shares", arguments: 0..<60)
  func randomNetworks(seed: Int) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    var generator = SeededGenerator(UInt64(seed) &+ 1000)
    let input = RandomGraph.input(of: graph, seed: UInt64(seed))
    let reference = try whole(graph, input)
    for _ in 0..<3 {
      let count = Int.random(in: 1...16, using: &generator)
      var shares = (0..<count).map { _ in Double(Int.random(in: 0...3, using: &generator)) }
      shares[Int.random(in: 0..<count, using: &generator)] += 1
      let method = PartitionMethod.allCases.randomElement(using: &generator) ?? .lop
      let cluster = try cluster(graph, shares: shares, method: method)
      let output = try cluster.run([input], alive: Array(repeating: true, count: count))
      let error = relativeError(output[0].floats ?? [], reference)
      #expect(error < 1e-4, "seed \(seed), shares \(shares), \(method): relative error \(error)")
    }
  }

  @Test("random networks of rarer layers on 1 to 6 devices", arguments: 0..<60)
  func randomLayers(seed: Int) throws {
    let graph = try RandomGraph.layers(seed: UInt64(seed))
    var generator = SeededGenerator(UInt64(seed) &+ 2000)
    let input = RandomGraph.input(of: graph, seed: UInt64(seed))
    let reference = try whole(graph, input)
    for method in PartitionMethod.allCases {
      let count = Int.random(in: 1...6, using: &generator)
      var shares = (0..<count).map { _ in Double(Int.random(in: 0...3, using: &generator)) }
      shares[Int.random(in: 0..<count, using: &generator)] += 1
      let cluster = try cluster(graph, shares: shares, method: method)
      let output = try cluster.run([input], alive: Array(repeating: true, count: count))
      let error = relativeError(output[0].floats ?? [], reference)
      #expect(error < 1e-4, "seed \(seed), shares \(shares), \(method): relative error \(error)")
    }
  }

  @Test("lost devices leave finite answers, the same every time", arguments: 0..<20)
  func masks(seed: Int) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    let input = RandomGraph.input(of: graph, seed: 1)
    let cluster = try cluster(graph, shares: [1, 1, 1], method: .interleaved)
    for mask in 0..<8 {
      let alive = (0..<3).map { mask >> $0 & 1 == 1 }
      let first = try cluster.run([input], alive: alive)[0].floats ?? []
      let second = try cluster.run([input], alive: alive)[0].floats ?? []
      let isFinite = first.allSatisfy(\.isFinite)
      #expect(isFinite, "seed \(seed), alive \(alive)")
      #expect(first == second, "seed \(seed), alive \(alive)")
    }
  }

  /// With rectified layers and no joins, a lost neuron that is zero after its activation is one
  /// whose weights and bias are zero.
  @Test("a lost device equals zeroed neurons", arguments: 0..<10)
  func lostNeurons(seed: Int) throws {
    let graph = try RandomGraph.chain(seed: UInt64(seed))
    let input = RandomGraph.input(of: graph, seed: 7)
    let plan = try plan(graph, shares: [1, 2, 1], method: .interleaved)
    let cluster = try cluster(graph, shares: [1, 2, 1], method: .interleaved)
    for lost in 0..<3 {
      var damaged = graph
      for (layer, parts) in zip(plan.sharding.layers, plan.parts) {
        for node in layer.weightedNodes.map({ graph.nodes[$0] }) {
          for constant in node.inputs.dropFirst() {
            guard let tensor = damaged.constants[constant], var values = tensor.floats else {
              continue
            }
            let row = values.count / layer.neurons
            for neuron in parts[lost] {
              for index in (neuron * row)..<((neuron + 1) * row) { values[index] = 0 }
            }
            damaged.constants[constant] = Tensor(tensor.shape, values)
          }
        }
      }
      let reference = try whole(damaged, input)
      let alive = (0..<3).map { $0 != lost }
      let output = try cluster.run([input], alive: alive)[0].floats ?? []
      #expect(relativeError(output, reference) < 1e-4, "seed \(seed), lost \(lost)")
    }
  }

  @Test("half precision on the wire changes little, and one device has no wire")
  func halfPrecision() throws {
    let graph = try RandomGraph.chain(seed: 3)
    let input = RandomGraph.input(of: graph, seed: 3)
    let reference = try whole(graph, input)
    let two = try cluster(graph, shares: [1, 1], method: .lop, wire: .float16)
    let error = relativeError(
      try two.run([input], alive: [true, true])[0].floats ?? [], reference)
    #expect(error < 5e-3)
    #expect(error > 0)
  }

  @Test(
    "bytes on the wire change a little more, and every exchange has the type that the plan gives it"
  )
  func bytes() throws {
    let graph = try RandomGraph.chain(seed: 3)
    let input = RandomGraph.input(of: graph, seed: 3)
    let reference = try whole(graph, input)
    let alive = [true, true]
    func output(_ plan: Plan, _ wire: ElementType?) throws -> [Float] {
      try cluster(plan, graph, wire: wire).run([input], alive: alive)[0].floats ?? []
    }
    let split = try plan(graph, shares: [1, 1], method: .lop)
    let bytes = try output(split, .int8)
    let error = relativeError(bytes, reference)
    #expect(error < 0.2)
    #expect(error > 0)
    func typed(_ type: (Int) -> WireType) throws -> Plan {
      try split.travelling(as: split.exchanges.indices.map(type))
    }
    // What the plan says counts where nothing is given, and what is given counts otherwise.
    #expect(try output(try typed { _ in .i8 }, nil) == bytes)
    #expect(try output(try typed { _ in .i8 }, .float32) == output(split, nil))
    let last = split.exchanges.count - 1
    let mixed = try output(try typed { $0 == last ? .i8 : .f32 }, nil)
    let exact = try output(split, nil)
    #expect(last > 0 && mixed != bytes && mixed != exact)
  }
}
