import ModelGraph
import Tensors
import Testing

@Suite("Null vectors")
struct NullFlowTests {
  /// a + b, then a bias, then the product of that with a.
  private func graph() throws -> (graph: Graph, a: ValueID, b: ValueID) {
    var builder = GraphBuilder(name: "null")
    let a = builder.addInput(name: "a", shape: [1, 2])
    let b = builder.addInput(name: "b", shape: [1, 2])
    let bias = builder.add(constant: Tensor([2], [Float(1), 1]), name: "bias")
    let sum = try builder.add(.binary(.add), [a, b], name: "sum")
    let biased = try builder.add(.binary(.add), [sum, bias], name: "biased")
    let product = try builder.add(.binary(.multiply), [biased, a], name: "product")
    let joined = try builder.add(.concatenation(axis: 1), [product, b], name: "joined")
    try builder.addOutput(joined, name: "y")
    return (builder.graph, a, b)
  }

  @Test func sumsIgnoreNullAndNothingElseDoes() throws {
    let (graph, a, b) = try graph()
    let flow = NullFlow(graph)
    func nulls(_ inputs: Set<ValueID>) -> [String] {
      var nulls = inputs
      var names: [String] = []
      for (index, node) in graph.nodes.enumerated() where flow.isNull(index, when: nulls) {
        nulls.insert(node.output)
        names.append(node.name)
      }
      return names
    }
    #expect(nulls([]) == [])
    #expect(nulls([b]) == [])
    #expect(nulls([a, b]) == ["sum", "biased", "product", "joined"])
    #expect(nulls([a]) == ["product"])
  }
}
