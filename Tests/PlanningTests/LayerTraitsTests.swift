import ModelGraph
import Plan
import Planning
import Tensors
import TestSupport
import Testing

@Suite("Facts about layers")
struct LayerTraitsTests {
  @Test("weights are counted by neuron, mixing and local, and grouped layers cannot be summed")
  func counts() throws {
    var builder = GraphBuilder(name: "small")
    let x = builder.addInput(name: "x", shape: [1, 2, 8, 8])
    func weights(_ shape: Shape, _ name: String) -> ValueID {
      builder.add(constant: Tensor(shape, [Float](repeating: 0.1, count: shape.count)), name: name)
    }
    let padding = Padding(1, 1, 1, 1)
    let first = try builder.add(
      .convolution(Convolution(kernel: Pair(3, 3), padding: padding)),
      [x, weights([6, 2, 3, 3], "w1"), weights([6], "b1")], name: "first")
    let depthwise = try builder.add(
      .convolution(Convolution(kernel: Pair(3, 3), padding: padding, groups: 6)),
      [first, weights([6, 1, 3, 3], "w2"), weights([6], "b2")], name: "depthwise")
    let grouped = try builder.add(
      .convolution(Convolution(kernel: Pair(1, 1), groups: 2)),
      [depthwise, weights([4, 3, 1, 1], "w3")], name: "grouped")
    try builder.addOutput(grouped, name: "y")
    let graph = builder.graph
    let sharding = try Sharding(graph)
    let expected = [
      LayerTraits(
        id: sharding.layers[0].id, neurons: 6, mixingWeights: 19, localWeights: 10,
        isSummable: true),
      LayerTraits(
        id: sharding.layers[1].id, neurons: 4, mixingWeights: 3, localWeights: 0,
        isSummable: false),
    ]
    #expect(LayerTraits.all(of: sharding, graph: graph) == expected)
    var structure = graph
    structure.constants = [:]
    #expect(LayerTraits.all(of: sharding, graph: structure) == expected)
  }

  @Test("the end of a pair is held by input channels, with the hidden neurons", arguments: 0..<10)
  func pairs(seed: Int) throws {
    let graph = try RandomGraph.chain(seed: UInt64(seed))
    let pairs = Sharding.everyPair(of: graph)
    let sharding = try Sharding(graph, pairs: pairs)
    let traits = LayerTraits.all(of: sharding, graph: graph)
    for (end, layer) in zip(pairs, sharding.hiddenLayers(graph)) {
      let weights = graph[graph.nodes[end].inputs[1]].shape
      #expect(traits[layer].localWeights == weights[0] * weights.innerCount(after: 1))
    }
    // Everybody has the biases of the ends, which are added to sums.
    let biases = pairs.reduce(0) { $0 + graph[graph.nodes[$1].inputs[2]].shape.count }
    #expect(LayerTraits.common(of: sharding, graph: graph) == biases)
    let placements = Placing.contiguous(traits, shares: [1, 2, 1])
    let cost = PlacementCost(
      of: placements, layers: traits, devices: 3,
      common: LayerTraits.common(of: sharding, graph: graph))
    #expect(cost.modelBytes == graph.constantBytes)
  }
}
