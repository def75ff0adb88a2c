import Foundations
import Kernels
import ModelGraph
import Tensors
import TestSupport
import Testing

@Suite("Kernels with weights as they are stored")
struct StoredWeightTests {
  private static let types: [WeightType] = [.f16, .i8]

  /// Compares one node with stored weights with the definition in double precision over the same
  /// rounded weights, twice and on two threads.
  private func check(
    _ operation: ModelGraph.Operation, _ operands: [Tensor], output: Shape, _ type: WeightType,
    tolerance: Float = 1e-5, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let graph = Graph(operation, operands, output: output, constants: [1, 2])
    let rounded = try #require(
      try graph.roundingWeights(to: type).constants[graph.nodes[0].inputs[1]])
    let expected = Reference.evaluate(
      operation, [operands[0], rounded] + operands.dropFirst(2), output: output)
    let execution = try Execution(Program(graph, weights: type))
    for round in 0..<2 {
      let result = try execution.run(inputs: [operands[0]])[0]
      let error = difference(result.floats ?? [], expected)
      #expect(
        error <= tolerance, "round \(round), \(type), \(operation) of \(operands.map(\.shape))",
        sourceLocation: sourceLocation)
    }
  }

  @Test("dense layers, of one row and of many", arguments: types, 0..<30)
  func dense(type: WeightType, seed: Int) throws {
    var random = SeededGenerator(seed)
    let rows = random.pick([1, 1, 2, 7, 130, 300])
    let inputs = random.pick([1, 15, 16, 33, 255, 256, 257, 600])
    let outputs = random.pick([1, 3, 4, 5, 64, 255, 256, 257, 520])
    let operands =
      [random.tensor([rows, inputs]), random.tensor([outputs, inputs])]
      + (random.int(0...1) == 0 ? [] : [random.tensor([outputs])])
    try check(
      .dense(Dense(activation: random.pick([nil, .relu, .gelu]))), operands,
      output: [rows, outputs], type)
  }

  @Test("convolutions of all windows", arguments: types, 0..<60)
  func convolution(type: WeightType, seed: Int) throws {
    var random = SeededGenerator(seed &+ 500)
    let window = WindowTests.Window(&random, ceiling: false)
    let groups = random.pick([1, 1, 1, 2, 3])
    let depth = random.int(1...40)
    let outputs = groups * random.int(1...12)
    let batch = random.int(1...3)
    let operands =
      [
        random.tensor([batch, groups * depth, window.input.height, window.input.width]),
        random.tensor([outputs, depth, window.kernel.height, window.kernel.width]),
      ] + (random.int(0...1) == 0 ? [] : [random.tensor([outputs])])
    try check(
      .convolution(
        Convolution(
          kernel: window.kernel, strides: window.strides, dilations: window.dilations,
          padding: window.padding, groups: groups, activation: random.pick([nil, .relu]))),
      operands, output: [batch, outputs, window.output.height, window.output.width], type)
  }

  /// More rows and columns than one panel holds: of one image, of many small ones, and of a single
  /// pixel, whose weights are used once.
  @Test(arguments: types, [1, 3])
  func largeConvolutions(type: WeightType, kernel: Int) throws {
    var random = SeededGenerator(kernel)
    let pad = kernel / 2
    let padding = Padding(pad, pad, pad, pad)
    for (batch, depth, outputs, size, padding) in [
      (1, 300, 270, 5, padding), (12, 90, 270, 7, padding), (1, 300, 270, kernel, Padding()),
    ] {
      let result = padding == Padding() ? size - kernel + 1 : size
      try check(
        .convolution(
          Convolution(kernel: Pair(kernel, kernel), padding: padding, activation: .relu)),
        [
          random.tensor([batch, depth, size, size]),
          random.tensor([outputs, depth, kernel, kernel]), random.tensor([outputs]),
        ], output: [batch, outputs, result, result], type)
    }
  }

  /// Kernels that make something else of their weights get them as float32.
  @Test(arguments: types)
  func transformedConvolutions(type: WeightType) throws {
    var random = SeededGenerator(8)
    let convolution = Convolution(kernel: Pair(3, 3), padding: Padding(1, 1, 1, 1))
    try check(
      .convolution(convolution),
      [random.tensor([1, 16, 50, 49]), random.tensor([5, 16, 3, 3])], output: [1, 5, 50, 49], type,
      tolerance: 1e-4)
    var depthwise = convolution
    depthwise.groups = 6
    try check(
      .convolution(depthwise), [random.tensor([1, 6, 9, 9]), random.tensor([6, 1, 3, 3])],
      output: [1, 6, 9, 9], type)
  }

  @Test("whole networks are those with rounded weights", arguments: types, 0..<20)
  func networks(type: WeightType, seed: Int) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    let input = RandomGraph.input(of: graph, seed: UInt64(seed))
    let expected = try Execution(Program(try graph.roundingWeights(to: type))).run(inputs: [input])
    let found = try Execution(Program(graph, weights: type)).run(inputs: [input])
    #expect(difference(found[0].floats ?? [], expected[0].floats ?? []) <= 1e-4)
  }

  @Test("memory is counted as it is used", arguments: types)
  func memory(type: WeightType) throws {
    let operands = [
      Tensor([1, 100], [Float](repeating: 1, count: 100)),
      Tensor([50, 100], (0..<5000).map { Float($0) / 5000 }),
      Tensor([50], [Float](repeating: 1, count: 50)),
    ]
    let graph = Graph(.dense(Dense()), operands, output: [1, 50], constants: [1, 2])
    let program = try Program(graph, weights: type)
    #expect(program.weightBytes == (type == .f16 ? 10_000 : 5000 + 200) + 200)
    #expect(try Program(graph).weightBytes == 20_200)
    let ids = graph.nodes[0].inputs
    let work = GraphWork(
      graph, constants: [ids[1], ids[2]], storage: [ids[1]: type.elementType])
    #expect(work.weightBytes == program.weightBytes && work.arenaBytes == program.arenaBytes)
    #expect(
      work.nodes == [
        [KernelWork(.dense, operations: 5000, bytes: 600 + (type == .f16 ? 10_000 : 5000))]
      ])
    #expect(graph.constantBytes(as: type) == program.weightBytes)
    #expect(graph.constantBytes(as: .f32) == 20_200)
  }

  @Test("weights that something else reads too are float32 there", arguments: types)
  func sharedWeights(type: WeightType) throws {
    var graph = Graph(name: "shared")
    let x = graph.add(Graph.Value(name: "x", shape: [1, 3]))
    graph.inputs = [x]
    let w = graph.add(constant: Tensor([3, 3], (1...9).map { Float($0) / 3 }), name: "w")
    let hidden = graph.append(.dense(Dense()), [x, w], [1, 3])
    let y = graph.append(.dense(Dense()), [hidden, w], [1, 3])
    graph.outputs = [y]
    #expect(graph.storableWeights == [w])
    let input = Tensor([1, 3], [1, -2, 3] as [Float])
    let expected = try Execution(Program(try graph.roundingWeights(to: type))).run(inputs: [input])
    let found = try Execution(Program(graph, weights: type)).run(inputs: [input])
    #expect(found == expected)
    // Weights that are added to something as well are left alone.
    let sum = graph.append(.binary(.add), [w, y], [3, 3])
    graph.outputs = [sum]
    #expect(graph.storableWeights.isEmpty)
    #expect(
      try Execution(Program(graph, weights: type)).run(inputs: [input])
        == Execution(Program(graph)).run(inputs: [input]))
  }

  @Test("a layer beyond halves is named and stays float32")
  func fallback() throws {
    let operands = [
      Tensor([1, 2], [1, 1] as [Float]), Tensor([1, 2], [1e6, 1] as [Float]),
    ]
    let graph = Graph(.dense(Dense()), operands, output: [1, 1], constants: [1])
    #expect(graph.unstorable(as: .f16) == ["constant1"])
    #expect(graph.unstorable(as: .i8).isEmpty && graph.unstorable(as: .f32).isEmpty)
    let found = try Execution(Program(graph, weights: .f16)).run(inputs: [operands[0]])
    #expect(found[0].floats == [1_000_001])
    #expect(graph.constantBytes(as: .f16) == 8)
  }
}
