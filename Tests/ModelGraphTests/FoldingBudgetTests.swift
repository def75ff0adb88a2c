import Foundations
import ModelGraph
import Tensors
import Testing

/// How much a model may have computed of its constants.
@Suite struct FoldingBudgetTests {
  private func transposed(_ builder: inout GraphBuilder, _ id: ValueID) throws -> ValueID {
    try builder.add(.transpose(permutation: [1, 0]), [id], name: "turned")
  }

  private func matrix(_ builder: inout GraphBuilder) -> ValueID {
    builder.add(constant: Tensor([5, 5], (0..<25).map { Float($0) }), name: "w")
  }

  @Test func isSpent() throws {
    var builder = GraphBuilder(name: "test", foldingBudget: 120)
    var id = matrix(&builder)
    // Each reads and writes 25.
    for _ in 0..<2 { id = try transposed(&builder, id) }
    #expect(throws: MartletError.self) { try transposed(&builder, id) }
  }

  /// Whatever size a model's weights are of, they can be laid out anew.
  @Test func growsWithWeights() throws {
    var builder = GraphBuilder(name: "test", foldingBudget: 0)
    var id = matrix(&builder)
    builder.allow(forWeights: 25)
    for _ in 0..<2 { id = try transposed(&builder, id) }
    #expect(throws: MartletError.self) { try transposed(&builder, id) }
  }

  @Test func evaluationIsAskedForWhatHasNoRule() throws {
    var builder = GraphBuilder(name: "test") { operation, operands, shape throws(MartletError) in
      guard case .softmax = operation else { return nil }
      return Tensor(shape, operands[0].floats ?? [])
    }
    let id = matrix(&builder)
    let softmax = try builder.add(.softmax(axis: 1, logarithmic: false), [id], name: "s")
    #expect(builder.graph.constants[softmax]?.shape == [5, 5])
    let product = try builder.add(.matMul, [id, id], name: "p")
    #expect(builder.graph.constants[product] == nil)
    #expect(builder.graph.nodes.map(\.operation) == [.matMul])
  }
}
