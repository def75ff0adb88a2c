import Foundations
import Kernels
import ModelGraph
import Tensors
import TestSupport
import Testing

@Suite(.serialized) struct ThreadTests {
  /// The work is cut at bounds that do not depend on the number of threads, so neither do the bits.
  @Test func resultsDoNotDependOnThreads() throws {
    defer { ComputeThreads.set(1) }
    var random = SeededGenerator(21)
    var graph = Graph(name: "threads")
    var x = graph.add(Graph.Value(name: "x", shape: [1, 16, 48, 48]))
    graph.inputs = [x]
    let first = graph.add(constant: random.tensor([32, 16, 3, 3]), name: "a")
    x = graph.append(
      .convolution(
        Convolution(kernel: Pair(3, 3), padding: Padding(1, 1, 1, 1), activation: .gelu)),
      [x, first], [1, 32, 48, 48])
    let second = graph.add(constant: random.tensor([32, 1, 5, 5]), name: "b")
    x = graph.append(
      .convolution(
        Convolution(kernel: Pair(5, 5), padding: Padding(2, 2, 2, 2), groups: 32)),
      [x, second], [1, 32, 48, 48])
    x = graph.append(
      .pooling(Pooling(kind: .average, kernel: Pair(4, 4), strides: Pair(4, 4))), [x],
      [1, 32, 12, 12])
    x = graph.append(.reshape, [x], [1, 4608])
    let third = graph.add(constant: random.tensor([700, 4608]), name: "c")
    x = graph.append(.dense(Dense()), [x, third], [1, 700])
    graph.outputs = [x]
    let image = random.tensor([1, 16, 48, 48])
    let program = try Program(graph)
    let expected = try Execution(program).run(inputs: [image])
    let execution = try Execution(program)
    for threads in [2, 3, 1, 4] {
      ComputeThreads.set(threads)
      #expect(try execution.run(inputs: [image]) == expected, "\(threads) threads")
    }
  }

  /// Fewer tiles than threads: the outputs of one tile are computed by several threads.
  @Test(arguments: [1, 3])
  func smallImagesAreShared(kernel: Int) throws {
    defer { ComputeThreads.set(1) }
    var random = SeededGenerator(22)
    let pad = kernel / 2
    let operands = [
      random.tensor([1, 40, 7, 7]), random.tensor([50, 40, kernel, kernel]), random.tensor([50]),
    ]
    for threads in [2, 3, 8] {
      ComputeThreads.set(threads)
      try expectMatch(
        .convolution(
          Convolution(kernel: Pair(kernel, kernel), padding: Padding(pad, pad, pad, pad))),
        operands, output: [1, 50, 7, 7], constants: [1, 2], tolerance: 1e-5, seed: 22)
    }
  }
}
