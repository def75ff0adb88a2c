import Foundations
import Kernels
import ModelGraph
import Tensors
import TestSupport
import Testing

@Suite struct ErrorTests {
  /// Nodes that do not fit their operands, each refused with its name.
  @Test(
    arguments: [
      (
        .convolution(Convolution(kernel: Pair(3, 3))), [[1, 2, 8, 8], [4, 3, 3, 3]], [1, 4, 6, 6]
      ),
      (
        .convolution(Convolution(kernel: Pair(3, 3))), [[1, 3, 8, 8], [4, 3, 3, 3]], [1, 4, 8, 8]
      ),
      (
        .convolution(Convolution(kernel: Pair(1, 1), strides: Pair(0, 1))),
        [[1, 3, 8, 8], [4, 3, 1, 1]], [1, 4, 8, 8]
      ),
      (
        .convolution(Convolution(kernel: Pair(1, 1), padding: Padding(-1))),
        [[1, 3, 8, 8], [4, 3, 1, 1]], [1, 4, 7, 8]
      ),
      (
        .convolution(Convolution(kernel: Pair(1, 1), groups: 2, groupOutputs: [1, 2])),
        [[1, 4, 8, 8], [4, 2, 1, 1]], [1, 4, 8, 8]
      ),
      (
        .convolution(Convolution(kernel: Pair(1, 1), groups: 0)), [[1, 4, 8, 8], [4, 2, 1, 1]],
        [1, 4, 8, 8]
      ),
      (
        .convolution(Convolution(kernel: Pair(2, 2), spread: Pair(2, 2))),
        [[1, 4, 8, 8], [4, 4, 2, 2]], [1, 4, 16, 16]
      ),
      (
        .convolution(Convolution(kernel: Pair(2, 2), spread: Pair(0, 2))),
        [[1, 4, 8, 8], [4, 4, 2, 2]], [1, 4, 7, 14]
      ),
      (
        .convolution(Convolution(kernel: Pair(1, 1), spread: Pair(.max, .max))),
        [[1, 4, 8, 8], [4, 4, 1, 1]], [1, 4, 8, 8]
      ),
      (
        .convolution(Convolution(kernel: Pair(1, 1), strides: Pair(2, 2), spread: Pair(2, 2))),
        [[1, 4, 8, 8], [4, 4, 1, 1]], [1, 4, 8, 8]
      ),
      (.dense(Dense()), [[2, 3], [4, 5]], [2, 4]),
      (.dense(Dense()), [[2, 3], [4, 3], [5]], [2, 4]),
      (.matMul, [[2, 3], [4, 5]], [2, 5]),
      (.matMul, [[3], [3, 5]], [5]),
      (.pooling(Pooling(kind: .average, kernel: Pair(2, 2))), [[1, 1, 4, 4]], [1, 1, 9, 3]),
      (
        .pooling(Pooling(kind: .average, kernel: Pair(2, 1 << 40))), [[1, 1, 4, 4]], [1, 1, 3, 3]
      ),
      (.binary(.add), [[2, 3], [4, 3]], [4, 3]),
      (.binary(.add), [[2, 3]], [2, 3]),
      (.choice, [[2, 3], [2, 3]], [2, 3]),
      (.choice, [[2, 3], [2, 3], [4, 3]], [2, 3]),
      (.extremum(Extremum(axis: 2)), [[2, 3]], [2, 3]),
      (.extremum(Extremum(axis: 1)), [[2, 3]], [2]),
      (.extremum(Extremum(axis: 1)), [[2, 0]], [2, 1]),
      (.softmax(axis: 2, logarithmic: false), [[2, 3]], [2, 3]),
      (.softmax(axis: -1, logarithmic: false), [[2, 3]], [2, 3]),
      (.layerNormalization(LayerNormalization(axes: [0], epsilon: 1)), [[2, 3, 4]], [2, 3, 4]),
      (.concatenation(axis: 1), [[2, 3], [3, 3]], [2, 6]),
      (.transpose(permutation: [0, 0]), [[2, 3]], [2, 2]),
      (.reshape, [[2, 3]], [5]),
      (.slice([SliceRange(start: 1, step: 1, count: 3)]), [[3]], [3]),
      (.slice([SliceRange(start: 2, step: -1, count: 4)]), [[3]], [4]),
      (.slice([SliceRange(start: 0, step: 0, count: 2)]), [[3]], [2]),
      (.pad(before: [-4], after: [5], value: 0), [[3]], [4]),
      (.reduction(Reduction(kind: .sum, axes: [1, 0])), [[2, 3]], []),
      (.selection(axis: 0, indices: [3]), [[3]], [1]),
      (.channelAffine, [[2, 3], [2], [3]], [2, 3]),
      (.exchange(Exchange(layer: "l", axis: 0, extents: [1, 1])), [[1, 2]], [3, 2]),
    ] as [(ModelGraph.Operation, [[Int]], [Int])])
  func misfitsAreRefused(operation: ModelGraph.Operation, operands: [[Int]], output: [Int]) {
    let tensors = operands.map { Tensor(Shape($0), [Float](repeating: 0, count: Shape($0).count)) }
    let graph = Graph(operation, tensors, output: Shape(output))
    let error = #expect(throws: MartletError.self) { _ = try Program(graph) }
    #expect(error?.code == .invalidShape)
    #expect(error?.context.contains { $0.key == "node" && $0.value == "node" } == true)
  }

  @Test func undefinedAndDoubleValuesAreRefused() {
    var graph = Graph(name: "bad")
    let x = graph.add(Graph.Value(name: "x", shape: [2]))
    let y = graph.append(.activation(.relu), [x], [2])
    graph.outputs = [y]
    #expect(throws: MartletError.self) { _ = try Program(graph) }
    graph.inputs = [x, x]
    #expect(throws: MartletError.self) { _ = try Program(graph) }
    graph.inputs = [x]
    graph.outputs = [ValueID(99)]
    #expect(throws: MartletError.self) { _ = try Program(graph) }
    graph.outputs = [y]
    graph.nodes[0].inputs = [ValueID(-1)]
    #expect(throws: MartletError.self) { _ = try Program(graph) }
    graph.nodes[0].inputs = [y]
    #expect(throws: MartletError.self) { _ = try Program(graph) }
  }

  @Test func integersAtRunTimeAreRefused() {
    var graph = Graph(name: "integers")
    let x = graph.add(Graph.Value(name: "x", shape: [2], elementType: .int64))
    graph.inputs = [x]
    graph.outputs = [x]
    let error = #expect(throws: MartletError.self) { _ = try Program(graph) }
    #expect(error?.code == .unsupported)
  }

  @Test func absurdMemoryIsRefused() throws {
    var graph = Graph(name: "huge")
    let side = 1 << 16
    let x = graph.add(Graph.Value(name: "x", shape: [side, 1]))
    let y = graph.add(Graph.Value(name: "y", shape: [1, side]))
    graph.inputs = [x, y]
    let a = graph.append(.binary(.add), [x, y], [side, side])
    let b = graph.append(.binary(.multiply), [x, y], [side, side])
    let c = graph.append(.transpose(permutation: [1, 0]), [a], [side, side])
    let d = graph.append(.transpose(permutation: [1, 0]), [b], [side, side])
    graph.outputs = [a, b, c, d, graph.append(.binary(.add), [x, y], [side, side])]
    let error = #expect(throws: MartletError.self) { _ = try Program(graph) }
    #expect(error?.code == .resourceExhausted)
  }

  @Test func inputsMustFit() throws {
    let x = Tensor([2, 3], [Float](repeating: 1, count: 6))
    let program = try Program(Graph(.activation(.relu), [x], output: [2, 3]))
    let execution = try Execution(program)
    #expect(throws: MartletError.self) { _ = try execution.run(inputs: []) }
    #expect(throws: MartletError.self) { _ = try execution.run(inputs: [x.reshaped([3, 2])]) }
    #expect(throws: MartletError.self) {
      _ = try execution.run(inputs: [Tensor([2, 3], [Int64](repeating: 1, count: 6))])
    }
  }
}
