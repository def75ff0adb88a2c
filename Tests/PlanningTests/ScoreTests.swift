import Foundations
import ModelGraph
import Plan
import Planning
import Tensors
import Testing

@Suite struct ScoreTests {
  private func network() throws -> Graph {
    var builder = GraphBuilder(name: "net")
    let x = builder.addInput(name: "x", shape: [1, 2, 4, 4])
    let w = builder.add(
      constant: Tensor([3, 2, 1, 1], [1, -2, 0.5, 0.25, -1, -1] as [Float]), name: "w")
    let b = builder.add(constant: Tensor([3], [-1, 0, 2] as [Float]), name: "b")
    let y = try builder.add(
      .convolution(Convolution(kernel: Pair(1, 1))), [x, w, b], name: "conv")
    try builder.addOutput(y, name: "y")
    return builder.graph
  }

  @Test func `the first score is the l1 norm of weights and bias`() throws {
    let graph = try network()
    #expect(Importance.weightedNodes(of: graph) == [0])
    #expect(Importance.l1(of: graph.nodes[0], graph: graph) == [4, 0.75, 4])
  }

  @Test func `points are stretched to the unit range`() throws {
    let scores = ImportanceScores(
      model: "m",
      layers: [.init(name: "conv", s1: [4, 0.75, 4], s2: [7, 7, 7], s3: [1, 3, 2])])
    #expect(try scores.points(node: "conv") == [[1, 0, 0], [0, 0, 1], [1, 0, 0.5]])
    #expect(try scores.points(node: "conv", using: [.s3]) == [[0], [1], [0.5]])
    let graph = try network()
    let layer = try Sharding(graph).layers[0]
    #expect(
      try scores.points(layers: [layer], graph: graph, using: [.s1, .s2])[0] == [
        [1, 0], [0, 0], [1, 0],
      ])
  }

  @Test func `what was not computed is said`() throws {
    let scores = ImportanceScores(
      model: "m", layers: [.init(name: "conv", s1: [4, 0.75, 4], s3: [1, 3])])
    #expect(!scores.isComplete([.s3]))
    #expect(scores.isComplete([.s1]))
    for score in [ImportanceScores.Score.s2, .s3] {
      let error = #expect(throws: MartletError.self) {
        try scores.points(node: "conv", using: [score])
      }
      #expect(error?.code == .notFound)
    }
    #expect(throws: MartletError.self) { try scores.points(node: "other", using: [.s1]) }
    #expect(throws: MartletError.self) { try scores.points(node: "conv", using: []) }
  }
}
