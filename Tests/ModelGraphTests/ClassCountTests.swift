import ModelGraph
import Tensors
import Testing

@Suite struct ClassCountTests {
  @Test(
    arguments: [
      ([10], 10), ([1, 10], 10), ([4, 10], 10), ([1, 10, 1, 1], 10), ([1, 1, 1, 10], 10),
      ([1, 1], 1),
      ([1, 4, 8, 8], nil), ([1, 4, 8], nil),
    ] as [([Int], Int?)])
  func vectorsAreClasses(extents: [Int], classes: Int?) throws {
    var builder = GraphBuilder(name: "output")
    let input = builder.addInput(name: "x", shape: Shape(extents))
    let output = try builder.add(.activation(.relu), [input], name: "y")
    try builder.addOutput(output, name: "y")
    #expect(builder.graph.classCount == classes)
  }

  @Test func noOutputHasNoClasses() {
    #expect(GraphBuilder(name: "nothing").graph.classCount == nil)
  }
}
