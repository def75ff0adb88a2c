import Foundations
import ModelGraph
import Tensors
import Testing

@Suite struct GraphTests {
  func chain() throws -> Graph {
    var builder = GraphBuilder(name: "chain")
    let x = builder.addInput(name: "x", shape: [2, 3, 8, 8])
    let w = builder.add(
      constant: Tensor([6, 3, 3, 3], [Float](repeating: 1, count: 162)), name: "w")
    let c = try builder.add(
      .convolution(Convolution(kernel: Pair(3, 3), strides: Pair(2, 2))), [x, w], name: "conv")
    let r = try builder.add(.activation(.relu), [c], name: "relu")
    try builder.addOutput(r, name: "y")
    return builder.graph
  }

  @Test func costs() throws {
    let graph = try chain()
    #expect(graph[graph.nodes[0].output].shape == [2, 6, 3, 3])
    #expect(graph.parameters(of: graph.nodes[0]) == 162)
    #expect(graph.multiplyAdds(of: graph.nodes[0]) == 2 * 6 * 9 * 27)
    #expect(graph.multiplyAdds(of: graph.nodes[1]) == 0)
  }

  @Test func validGraphs() throws {
    #expect(throws: Never.self) { try chain().validate() }
  }

  /// Each change makes a graph that must be refused, not run and not crash.
  @Test(arguments: 0..<9) func invalidGraphs(_ change: Int) throws {
    var graph = try chain()
    switch change {
    case 0: graph.nodes.reverse()
    case 1: graph.nodes[0].inputs[0] = ValueID(99)
    case 2: graph.nodes[0].inputs[0] = ValueID(-1)
    case 3: graph.outputs = [ValueID(Int.max)]
    case 4: graph.nodes[1].output = graph.nodes[0].output
    case 5: graph[graph.nodes[1].output].shape = [2, 6, 3, 4]
    case 6: graph.nodes[0].operation = .dense(Dense())
    case 7: graph.nodes[0].inputs = []
    default: graph.nodes[1].name = graph.nodes[0].name
    }
    #expect(throws: MartletError.self) { try graph.validate() }
  }

  @Test func shapesOfSlicedGroups() throws {
    let convolution = Operation.convolution(
      Convolution(kernel: Pair(1, 1), groups: 2, groupOutputs: [3, 1]))
    #expect(
      try convolution.outputShape(inputs: [[1, 4, 2, 2], [4, 2, 1, 1]], declared: nil)
        == [1, 4, 2, 2])
    #expect(throws: MartletError.self) {
      try convolution.outputShape(inputs: [[1, 4, 2, 2], [5, 2, 1, 1]], declared: nil)
    }
  }

  @Test func shapesThatDependOnTheDeclaration() throws {
    let pooling = Operation.pooling(
      Pooling(kind: .maximum, kernel: Pair(3, 3), strides: Pair(2, 2)))
    #expect(try pooling.outputShape(inputs: [[1, 1, 6, 6]], declared: nil) == [1, 1, 2, 2])
    #expect(
      try pooling.outputShape(inputs: [[1, 1, 6, 6]], declared: [1, 1, 3, 3]) == [1, 1, 3, 3])
    #expect(throws: MartletError.self) {
      try pooling.outputShape(inputs: [[1, 1, 6, 6]], declared: [1, 1, 4, 4])
    }
    let mean = Operation.reduction(Reduction(kind: .mean, axes: [1]))
    #expect(try mean.outputShape(inputs: [[2, 3]], declared: [2]) == [2])
    #expect(try mean.outputShape(inputs: [[2, 3]], declared: nil) == [2, 1])
    #expect(throws: MartletError.self) {
      try Operation.reshape.outputShape(inputs: [[2, 3]], declared: nil)
    }
  }

  /// Numbers from a hostile plan must not overflow.
  @Test func impossibleParameters() {
    let x: Shape = [1, 2, 4, 4]
    let operations: [Operation] = [
      .convolution(Convolution(kernel: Pair(1, 1), strides: Pair(0, 1))),
      .convolution(Convolution(kernel: Pair(1, 1), dilations: Pair(.max, .max))),
      .convolution(Convolution(kernel: Pair(1, 1), padding: Padding(.max, .max, .max, .max))),
      .convolution(Convolution(kernel: Pair(1, 1), groups: 0)),
      .convolution(Convolution(kernel: Pair(1, 1), groups: 2, groupOutputs: [.max, .max])),
      .convolution(Convolution(kernel: Pair(1, 1), groups: 2, groupOutputs: [-1, 3])),
    ]
    for operation in operations {
      #expect(throws: MartletError.self, "\(operation)") {
        try operation.outputShape(inputs: [x, [2, 2, 1, 1]], declared: nil)
      }
    }
    let others: [Operation] = [
      .slice([SliceRange](repeating: SliceRange(start: 0, step: .max, count: 2), count: 4)),
      .slice([SliceRange](repeating: SliceRange(start: .max, count: 1), count: 4)),
      .slice([SliceRange](repeating: SliceRange(start: 0, step: .min, count: 3), count: 4)),
      .pad(before: [.max, .max, 0, 0], after: [.max, 0, 0, 0], value: 0),
      .transpose(permutation: [0, 0, 1, 2]), .softmax(axis: -1, logarithmic: false),
      .selection(axis: 9, indices: [0]), .selection(axis: 1, indices: [2]),
      .concatenation(axis: 4), .exchange(Exchange(layer: "l", axis: 1, extents: [.max, .max])),
      .reduction(Reduction(kind: .sum, axes: [1, 1])),
      .pooling(Pooling(kind: .average, kernel: Pair(.max, 1))),
    ]
    for operation in others {
      #expect(throws: MartletError.self, "\(operation)") {
        try operation.outputShape(inputs: [x], declared: nil)
      }
    }
  }
}
