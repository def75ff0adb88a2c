import Foundations
package import ModelGraph
import Tensors

/// Pairs of layers between which nothing is exchanged: where a wide hidden layer stands between two
/// narrow values, each device computes its neurons of the hidden layer and what these contribute to
/// the narrow result, in full. The contributions are exchanged, and everybody adds them up: in the
/// order of the devices, so that all come to the same floating-point numbers. Row and column division
/// of a pair of products is from Megatron-LM (Shoeybi and others, 2019); interleaved operator
/// partitioning (Liu and others, 2024) has it for convolutions on small devices.
///
/// A pair is named by its last node, a convolution or dense layer that reads the hidden layer's
/// channels. That node belongs to no layer: its weights are divided by input channels and go with the
/// hidden neurons, and its bias is added after the sum. So what is lost with a device is what its
/// hidden neurons contribute.
extension Sharding {
  /// The ends of all pairs by which so many devices send less. Each sends a result instead of its share of
  /// the hidden value and of the result: so the hidden value is to be larger than all results but one. It
  /// must not be gathered for anybody else.
  ///
  /// - Parameter strips: what is divided by rows first.
  /// - Returns: positions in `Graph.nodes`, ascending. Any of them can be left out, nearly always.
  package static func pairs(of graph: Graph, strips: Strips? = nil, devices: Int = 2) -> [Int] {
    var wanted = ShardingBuilder.Pairs.narrowing(by: max(1, devices - 1))
    while true {
      var builder = ShardingBuilder(graph: graph, strips: strips, pairs: wanted)
      builder.propagate()
      builder.recomputeWhereCheap()
      let exchanged = Set(builder.exchanges)
      let ends = builder.pairEnds.filter { !exchanged.contains(graph.nodes[$0].inputs[0]) }
      // With some left out, other values are divided.
      guard wanted != .these(Set(ends)) else { return ends }
      wanted = .these(Set(ends))
    }
  }

  /// The hidden layer of each pair, in the order of `pairs`.
  package func hiddenLayers(_ graph: Graph) -> [Int] {
    pairs.compactMap { index in
      guard case .sharded(let layer, _) = self[graph.nodes[index].inputs[0]] else { return nil }
      return layer
    }
  }

  /// That each wanted pair has been found, and what it spares is not exchanged all the same.
  static func check(_ pairs: [Int], _ builder: ShardingBuilder) throws(MartletError) {
    let graph = builder.graph
    guard zip(pairs, pairs.dropFirst()).allSatisfy(<),
      pairs.allSatisfy(graph.nodes.indices.contains)
    else { throw MartletError(.mismatch, "pairs end at nodes that the model does not have") }
    if let other = pairs.first(where: { !builder.pairEnds.contains($0) }) {
      throw MartletError(
        .unsupported, "no pair of layers ends at a node",
        context: ["node": graph.nodes[other].name],
        hint:
          "a pair ends at a convolution without groups or a dense layer whose input channels are "
          + "divided, and whose result begins with a batch of one: plan with other --pairs")
    }
    let exchanged = Set(builder.exchanges)
    if let vain = pairs.first(where: { exchanged.contains(graph.nodes[$0].inputs[0]) }) {
      throw MartletError(
        .unsupported, "what a pair of layers would spare is exchanged for others all the same",
        context: ["node": graph.nodes[vain].name], hint: "plan with other --pairs")
    }
  }
}

extension Plan {
  /// That the hidden layers of pairs are placed so that sums of their parts can be made.
  static func checkPairs(
    _ graph: Graph, _ sharding: Sharding, _ placements: [LayerPlacement]
  ) throws(MartletError) {
    guard !sharding.pairs.isEmpty else { return }
    let hint = "plan without --pairs, or by a method without copies and codes such as lop"
    guard placements.allSatisfy({ $0.code == nil }) else {
      throw MartletError(
        .unsupported, "a plan with pairs of layers has no codes: they need whole neurons",
        hint: hint)
    }
    for layer in sharding.hiddenLayers(graph) {
      guard placements[layer].holders.allSatisfy({ $0.count == 1 }) else {
        throw MartletError(
          .unsupported, "the hidden layer of a pair has each neuron on one device, not copies",
          context: ["layer": sharding.layers[layer].id], hint: hint)
      }
    }
  }
}

extension ShardingBuilder {
  /// Which nodes end pairs.
  enum Pairs: Equatable {
    /// None but these, where they can.
    case these(Set<Int>)
    /// Each that can, and reads more elements than so many of its results have.
    case narrowing(by: Int)
  }

  /// Whether a weighted node reads just the channels of one layer's neurons, so that every device can
  /// compute what its own contribute to a result for one image.
  func canEndPair(_ node: Node) -> Bool {
    let (input, result) = (graph[node.inputs[0]].shape, graph[node.output].shape)
    let channels: Int
    switch node.operation {
    case .convolution(let attributes) where attributes.groups == 1: channels = 1
    case .dense: channels = input.rank - 1
    default: return false
    }
    guard channels > 0, result.rank == input.rank, result.dimensions.first == 1,
      case .sharded(let layer, let axis) = placements[node.inputs[0]] ?? .full,
      node.inputs.dropFirst().allSatisfy({ placements[$0] == nil })
    else { return false }
    return axis == channels && input[axis] == neurons[root(of: layer)]
  }

  /// Whether a weighted node that can end a pair does.
  func endsPair(_ index: Int) -> Bool {
    let node = graph.nodes[index]
    guard canEndPair(node) else { return false }
    switch pairs {
    case .these(let nodes): return nodes.contains(index)
    case .narrowing(let factor):
      let result = graph[node.output].shape.count.multipliedReportingOverflow(by: factor)
      return !result.overflow && result.partialValue < graph[node.inputs[0]].shape.count
    }
  }
}
