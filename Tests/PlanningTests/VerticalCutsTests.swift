import Foundations
import ModelGraph
import Plan
import Planning
import Tensors
import Testing

@Suite("Vertical cuts")
struct VerticalCutsTests {
  /// Dense layers of these widths in a row.
  private func chain(_ widths: [Int], batch: Int = 1) throws -> Graph {
    var builder = GraphBuilder(name: "chain")
    var value = builder.addInput(name: "x", shape: [batch, widths[0]])
    for (index, (from, to)) in zip(widths, widths.dropFirst()).enumerated() {
      let weights = builder.add(
        constant: Tensor([to, from], [Float](repeating: 1, count: to * from)), name: "w\(index)")
      value = try builder.add(.dense(Dense()), [value, weights], name: "layer\(index)")
    }
    try builder.addOutput(value, name: "y")
    return builder.graph
  }

  @Test(
    "multiply-adds are balanced",
    arguments: [
      ([8, 8, 8, 8], [1.0, 1, 1], [0, 1]), ([8, 8, 8, 8], [1, 2], [0]),
      ([8, 8, 8, 8], [2, 1], [1]),
      // 64, 64, 8, 8 multiply-adds: the second cut goes where least is sent.
      ([8, 8, 8, 1, 8], [1, 1, 1], [0, 1]), ([8, 8], [1], []),
    ])
  func balance(widths: [Int], shares: [Double], ends: [Int]) throws {
    #expect(try VerticalCuts(balancing: try chain(widths), shares: shares).ends == ends)
  }

  @Test func blocksAreNamedAfterTheirLastLayer() throws {
    let graph = try chain([8, 8, 8, 8])
    let cuts = try VerticalCuts(after: ["layer1"], of: graph)
    #expect(
      cuts.blocks(of: graph) == [
        .init(name: "layer1", nodes: [0, 1]), .init(name: "layer2", nodes: [2]),
      ])
  }

  /// A residual addition: behind its first layer two values go on.
  @Test func placesAreWhereOneValueGoesOn() throws {
    var builder = GraphBuilder(name: "residual")
    let input = builder.addInput(name: "x", shape: [1, 4])
    func dense(_ value: ValueID, _ name: String) throws -> ValueID {
      let weights = builder.add(
        constant: Tensor([4, 4], [Float](repeating: 1, count: 16)), name: name + ".w")
      return try builder.add(.dense(Dense()), [value, weights], name: name)
    }
    let first = try dense(input, "first")
    let second = try dense(first, "second")
    let sum = try builder.add(.binary(.add), [first, second], name: "sum")
    try builder.addOutput(try dense(sum, "last"), name: "y")
    #expect(VerticalCuts.places(builder.graph) == [0, 2])
    // It may be cut in between all the same: both values travel.
    let graph = builder.graph
    let cuts = try VerticalCuts(after: ["second"], of: graph)
    let sharding = try Sharding(graph, blocks: cuts.blocks(of: graph))
    #expect(sharding.exchanges == [first, second, graph.outputs[0]])
    #expect(sharding.exchangeStages == [0, 0, 1])
  }

  @Test func whatCannotBeCutIsNamed() throws {
    let graph = try chain([4, 4, 4])
    func code(_ body: () throws -> Void) -> MartletError.Code? {
      do { try body() } catch { return (error as? MartletError)?.code }
      return nil
    }
    #expect(code { _ = try VerticalCuts(after: ["nowhere"], of: graph) } == .notFound)
    #expect(code { _ = try VerticalCuts(after: ["layer1"], of: graph) } == .invalidArgument)
    #expect(
      code { _ = try VerticalCuts(after: ["layer0", "layer0"], of: graph) } == .invalidArgument)
    #expect(code { _ = try VerticalCuts(balancing: graph, shares: [1, 1, 1]) } == .unsupported)
    #expect(code { _ = try VerticalCuts(balancing: graph, shares: [1, 0]) } == .invalidArgument)
    #expect(
      code { _ = try Sharding(graph, blocks: [.init(name: "a", nodes: [0])]) } == .mismatch)
    #expect(
      code {
        _ = try Sharding(
          graph, blocks: [.init(name: "a", nodes: [0, 1]), .init(name: "b", nodes: [1])])
      } == .mismatch)
    let two = try chain([4, 4, 4], batch: 2)
    #expect(
      code {
        _ = try Sharding(
          two, blocks: [.init(name: "a", nodes: [0]), .init(name: "b", nodes: [1])])
      } == .unsupported)
  }
}
