import Foundations
import Kernels
import ModelGraph
import Tensors
import TestSupport
import Testing

@Suite struct MemoryTests {
  @Test(arguments: 0..<60)
  func noTwoLiveStoragesOverlap(seed: Int) {
    var random = SeededGenerator(seed)
    let requests = (0..<random.int(1...80)).map { _ in
      let birth = random.int(0...50)
      return MemoryPlan.Request(
        bytes: random.pick([0, 4, 64, 100, 4096, 70_000]), birth: birth,
        death: birth + random.int(0...12))
    }
    let plan = MemoryPlan(requests)
    var peak = 0
    for moment in 0...62 {
      let live = requests.indices.filter {
        requests[$0].birth <= moment && moment <= requests[$0].death && requests[$0].bytes > 0
      }
      peak = max(peak, live.reduce(0) { $0 + requests[$1].bytes })
      for a in live {
        #expect(plan.offsets[a] % MemoryPlan.alignment == 0)
        #expect(plan.offsets[a] + requests[a].bytes <= plan.bytes)
        for b in live where a < b {
          let isApart =
            plan.offsets[a] + requests[a].bytes <= plan.offsets[b]
            || plan.offsets[b] + requests[b].bytes <= plan.offsets[a]
          #expect(isApart, "seed \(seed): requests \(a) and \(b) overlap at \(moment)")
        }
      }
    }
    #expect(plan.bytes >= peak)
  }

  /// Random element-wise graphs with views, shared operands, outputs that are inputs or constants:
  /// if any two live values overlapped, some result would differ from the plain evaluation.
  @Test(arguments: 0..<150)
  func randomGraphsComputeTheRightThing(seed: Int) throws {
    var random = SeededGenerator(seed)
    let (graph, tensors) = Self.randomGraph(&random)
    var values: [ValueID: [Float]] = [:]
    for (id, tensor) in zip(graph.inputs, tensors) { values[id] = tensor.floats }
    for (id, tensor) in graph.constants { values[id] = tensor.floats }
    for node in graph.nodes {
      let operands = node.inputs.map { Tensor(graph[$0].shape, values[$0] ?? []) }
      values[node.output] = Reference.evaluate(
        node.operation, operands, output: graph[node.output].shape)
    }
    let outputs = graph.outputs
    let execution = try Execution(Program(graph))
    for _ in 0..<2 {
      for (id, result) in zip(outputs, try execution.run(inputs: tensors)) {
        let error = difference(result.floats ?? [], values[id] ?? [])
        #expect(error < 1e-4, "seed \(seed), value \(id.index)")
      }
    }
  }

  static func randomGraph(_ random: inout SeededGenerator) -> (Graph, [Tensor]) {
    var graph = Graph(name: "random")
    var tensors: [Tensor] = []
    var pool: [ValueID] = []
    for index in 0..<random.int(1...2) {
      let tensor = random.tensor([2, 12], in: 0.5...1)
      let id = graph.add(Graph.Value(name: "input\(index)", shape: tensor.shape))
      graph.inputs.append(id)
      tensors.append(tensor)
      pool.append(id)
    }
    pool.append(graph.add(constant: random.tensor([2, 12], in: 0.5...1), name: "constant"))
    for _ in 0..<random.int(1...25) {
      // Recent values more often, so that chains and deaths occur.
      let a = pool[max(0, pool.count - 1 - random.int(0...4))]
      let shape = graph[a].shape
      switch random.int(0...6) {
      case 0: pool.append(graph.append(.activation(.sigmoid), [a], shape))
      case 1:
        let other = shape == [2, 12] ? Shape([3, 8]) : Shape([2, 12])
        pool.append(graph.append(.reshape, [a], other))
      case 2:
        pool.append(
          graph.append(.transpose(permutation: [1, 0]), [a], [shape[1], shape[0]]))
        let view = graph.append(.reshape, [pool[pool.count - 1]], [2, 12])
        pool.append(view)
      case 3: pool.append(graph.append(.softmax(axis: 1, logarithmic: false), [a], shape))
      case 4:
        pool.append(
          graph.append(
            .layerNormalization(LayerNormalization(axes: [1], epsilon: 0.1)), [a], shape))
      default:
        let same = pool.filter { graph[$0].shape == shape }
        pool.append(
          graph.append(.binary(random.pick([.add, .maximum])), [a, random.pick(same)], shape))
      }
    }
    graph.outputs = [pool[pool.count - 1]] + (0..<random.int(0...2)).map { _ in random.pick(pool) }
    return (graph, tensors)
  }

  @Test func chainsComputeInPlace() throws {
    var graph = Graph(name: "chain")
    var id = graph.add(Graph.Value(name: "x", shape: [1, 1024]))
    graph.inputs = [id]
    for _ in 0..<10 { id = graph.append(.activation(.relu), [id], [1, 1024]) }
    graph.outputs = [id]
    #expect(try Program(graph).arenaBytes == 4096)
  }

  /// What an exchange gathers takes the place of what the one before it gathered, once that was read.
  @Test func gatheredValuesFollowOneAnother() throws {
    var graph = Graph(name: "exchanges")
    var id = graph.add(Graph.Value(name: "x", shape: [1, 1024]))
    graph.inputs = [id]
    id = graph.append(.activation(.relu), [id], [1, 1024])
    let half = [SliceRange(start: 0, count: 1), SliceRange(start: 0, count: 1024)]
    for layer in 0..<5 {
      let exchange = Exchange(layer: "l\(layer)", axis: 1, extents: [1024, 1024])
      id = graph.append(.exchange(exchange), [id], [1, 2048])
      id = graph.append(.slice(half), [id], [1, 1024])
    }
    graph.outputs = [id]
    // At each moment one gathered value, and a part that is sent or was cut out of it.
    #expect(try Program(graph).arenaBytes == 3 * 4096)
  }

  @Test func weightsAreCounted() throws {
    var random = SeededGenerator(1)
    let graph = Graph(
      .dense(Dense()), [random.tensor([1, 8]), random.tensor([16, 8])], output: [1, 16],
      constants: [1])
    let program = try Program(graph)
    #expect(program.weightBytes == 512)
    #expect(program.graph.constants.isEmpty)
    #expect(program.stages.map(\.nodes) == [0..<1])
    #expect(program.stages.map(\.exchanges) == [[]])
  }
}
