import Foundations
import Kernels
import ModelGraph
import Tensors
import TestSupport
import Testing

@Suite struct GraphWorkTests {
  private func work(
    _ operation: Operation, _ shape: Shape, weights: [Shape] = []
  ) throws -> [KernelWork] {
    var builder = GraphBuilder(name: "one")
    var inputs = [builder.addInput(name: "x", shape: shape)]
    for shape in weights {
      let tensor = Tensor(shape, [Float](repeating: 1, count: shape.count))
      inputs.append(builder.add(constant: tensor, name: "w"))
    }
    let output = try builder.add(operation, inputs, name: "node")
    try builder.addOutput(output, name: "y")
    return GraphWork(wholeModel: builder.graph).nodes[0]
  }

  private func convolution(
    _ inputs: Int, _ outputs: Int, size: Int, kernel: Int, groups: Int = 1,
    activation: Activation? = nil
  ) throws -> [KernelWork] {
    let pad = kernel / 2
    return try work(
      .convolution(
        Convolution(
          kernel: Pair(kernel, kernel), padding: Padding(pad, pad, pad, pad), groups: groups,
          activation: activation)), [1, inputs, size, size],
      weights: [[outputs, inputs / groups, kernel, kernel]])
  }

  @Test func eachConvolutionIsOfTheKindThatComputesIt() throws {
    let pointwise = try convolution(8, 6, size: 10, kernel: 1)
    #expect(
      pointwise == [
        KernelWork(.pointwise, operations: 6 * 8 * 100, bytes: 4 * (800 + 600 + 48))
      ])
    let columns = try convolution(8, 6, size: 10, kernel: 3)
    #expect(
      columns == [
        KernelWork(
          .convolution, operations: 6 * 72 * 100, bytes: 4 * (2 * 7200 + 600 + 6 * 72))
      ])
    let depthwise = try convolution(8, 8, size: 10, kernel: 3, groups: 8)
    #expect(
      depthwise == [KernelWork(.depthwise, operations: 8 * 900, bytes: 4 * (800 + 800))])
    let winograd = try convolution(16, 4, size: 48, kernel: 3)
    #expect(winograd.map(\.kind) == [.winograd])
    #expect(winograd.map(\.operations) == [48 * 48 * 9 * 16 * 4])
  }

  /// The part of the work that does not shrink with a device's share of the outputs.
  @Test func halfOfTheOutputsIsMoreThanHalfOfTheWork() throws {
    for size in [10, 48] {
      let whole = try convolution(16, 32, size: size, kernel: 3)
      let half = try convolution(16, 16, size: size, kernel: 3)
      #expect(half[0].operations * 2 == whole[0].operations)
      #expect(half[0].bytes * 2 > whole[0].bytes)
    }
  }

  @Test func expensiveActivationsAreWorkOfTheirOwn() throws {
    let gelu = try convolution(8, 6, size: 10, kernel: 1, activation: .gelu)
    #expect(gelu.count == 2)
    #expect(gelu.last == KernelWork(.function, operations: 600, bytes: 0))
    #expect(try convolution(8, 6, size: 10, kernel: 1, activation: .relu).count == 1)
  }

  @Test func otherNodesReadAndWrite() throws {
    #expect(
      try work(.dense(Dense()), [1, 30], weights: [[20, 30]]) == [
        KernelWork(.dense, operations: 600, bytes: 4 * (30 + 20 + 600))
      ])
    #expect(try work(.dense(Dense()), [5, 30], weights: [[20, 30]]).map(\.kind) == [.product])
    #expect(
      try work(.activation(.relu), [1, 7]) == [
        KernelWork(.elementwise, operations: 7, bytes: 4 * 14)
      ])
    #expect(
      try work(.activation(.silu), [1, 7]) == [
        KernelWork(.function, operations: 7, bytes: 4 * 14)
      ])
    #expect(try work(.transpose(permutation: [1, 0]), [3, 7]).map(\.kind) == [.transposition])
  }

  /// What is told from the structure is what compiling comes to.
  @Test(arguments: 0..<12) func memoryIsThatOfTheProgram(seed: Int) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    let work = GraphWork(wholeModel: graph)
    let program = try Program(graph)
    #expect(work.arenaBytes == program.arenaBytes)
    #expect(work.weightBytes == program.weightBytes)
    #expect(work.stages == program.stages)
    #expect(work.nodes.count == graph.nodes.count)
  }
}
