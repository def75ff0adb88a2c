package import ModelGraph
package import Plan
import Tensors

/// What placing a layer's neurons takes to know about it.
package struct LayerTraits: Sendable, Hashable {
  /// The layer's name in the sharding.
  package var id: String
  /// Output channels or units.
  package var neurons: Int
  /// Weights of one neuron in weighted nodes, bias included: what a parity block combines.
  package var mixingWeights: Int
  /// Constants of one neuron in the channel-local nodes behind (depthwise filters, normalisation), and at
  /// the end of its pair.
  package var localWeights: Int
  /// Whether a combination of neurons is again a neuron of the same kind. Not so in a grouped
  /// convolution, where neurons read different channels.
  package var isSummable: Bool

  /// Describes a layer.
  package init(
    id: String, neurons: Int, mixingWeights: Int = 1, localWeights: Int = 0,
    isSummable: Bool = true
  ) {
    self.id = id
    self.neurons = neurons
    self.mixingWeights = mixingWeights
    self.localWeights = localWeights
    self.isSummable = isSummable
  }

  /// Constants of one neuron, all nodes together.
  package var weights: Int { mixingWeights + localWeights }

  /// The layers of a model.
  package static func all(of sharding: Sharding, graph: Graph) -> [LayerTraits] {
    // Told from the structure, because a plan keeps no elements of constants.
    let computed = Set(graph.inputs).union(graph.nodes.map(\.output))
    var traits = sharding.layers.map {
      LayerTraits(id: $0.id, neurons: $0.neurons, mixingWeights: 0)
    }
    let weighted = sharding.layers.reduce(into: Set<Int>()) { $0.formUnion($1.weightedNodes) }
    for (index, node) in graph.nodes.enumerated() {
      guard case .sharded(let layer, _) = sharding[node.output] else { continue }
      let neurons = traits[layer].neurons
      // Constants that do not span the neurons (a scalar, a table) are on every device anyway.
      let shapes = node.inputs.filter { !computed.contains($0) }.map { graph[$0].shape }
      let isBlock = sharding.layers[layer].block != nil
      let each = shapes.filter { isBlock || neurons > 0 && $0.dimensions.contains(neurons) }
        .reduce(0) { $0 + $1.count / neurons }
      if weighted.contains(index) {
        traits[layer].mixingWeights += each
        if case .convolution(let attributes) = node.operation, attributes.groups > 1 {
          traits[layer].isSummable = false
        }
      } else {
        traits[layer].localWeights += each
      }
    }
    // Behind a pair's hidden neurons stand the filters' input channels at its end.
    for (index, layer) in zip(sharding.pairs, sharding.hiddenLayers(graph)) {
      traits[layer].localWeights +=
        graph[graph.nodes[index].inputs[1]].shape.count / max(1, traits[layer].neurons)
    }
    return traits
  }

  /// Elements of the model's constants that belong to no neuron of any layer, such as the scales of
  /// a normalisation over all channels: every device holds them.
  package static func common(of sharding: Sharding, graph: Graph) -> Int {
    let spread = all(of: sharding, graph: graph).reduce(0) { $0 + $1.neurons * $1.weights }
    return max(0, graph.constantBytes / ElementType.float32.size - spread)
  }
}
