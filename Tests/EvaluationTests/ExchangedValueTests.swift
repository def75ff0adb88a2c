import Evaluation
import ModelGraph
import Plan
import Tensors
import Testing

@Suite("Exchanged values")
struct ExchangedValueTests {
  @Test("know of depthwise filters before them")
  func filters() throws {
    var builder = GraphBuilder(name: "mobile")
    let x = builder.addInput(name: "x", shape: [1, 2, 4, 4])
    func weights(_ shape: Shape) -> ValueID {
      builder.add(
        constant: Tensor(shape, [Float](repeating: 0.5, count: shape.count)), name: "w")
    }
    let wide = try builder.add(
      .convolution(Convolution(kernel: Pair(1, 1))), [x, weights([6, 2, 1, 1])], name: "wide")
    let deep = try builder.add(
      .convolution(
        Convolution(kernel: Pair(3, 3), padding: Padding(1, 1, 1, 1), groups: 6)),
      [wide, weights([6, 1, 3, 3])], name: "deep")
    let active = try builder.add(.activation(.relu), [deep], name: "active")
    let narrow = try builder.add(
      .convolution(Convolution(kernel: Pair(1, 1))), [active, weights([3, 6, 1, 1])],
      name: "narrow")
    try builder.addOutput(narrow, name: "y")
    let values = ExchangedValue.all(of: builder.graph, try Sharding(builder.graph))
    #expect(values.map(\.point.value) == [active, narrow])
    #expect(values.map(\.isBehindFilters) == [true, false])
    #expect(values.map(\.layer) == [0, 1])
  }
}
