public import ModelGraph
public import Plan
import TensorCore

/// What placing a layer's neurons takes to know about it.
public struct LayerTraits: Sendable, Hashable {
  /// The layer's name in the sharding.
  public var id: String
  /// Output channels or units.
  public var neurons: Int
  /// Weights of one neuron in weighted nodes, bias included: what a parity block combines.
  public var mixingWeights: Int
  /// Constants of one neuron in the channel-local nodes behind (depthwise filters, normalisation).
  public var localWeights: Int
  /// Whether a combination of neurons is again a neuron of the same kind. Not so in a grouped
  /// convolution, where neurons read different channels.
  public var isSummable: Bool

  /// Describes a layer.
  public init(
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
  public var weights: Int { mixingWeights + localWeights }

  /// The layers of a model.
  public static func all(of sharding: Sharding, graph: Graph) -> [LayerTraits] {
    let constants = Set(graph.constants.keys)
    var traits = sharding.layers.map {
      LayerTraits(id: $0.id, neurons: $0.neurons, mixingWeights: 0)
    }
    let weighted = sharding.layers.reduce(into: Set<Int>()) { $0.formUnion($1.weightedNodes) }
    for (index, node) in graph.nodes.enumerated() {
      guard case .sharded(let layer, _) = sharding[node.output] else { continue }
      // Constants that all neurons share (a scalar, a table) are on every device anyway.
      let sizes = node.inputs.filter(constants.contains).map { graph[$0].shape.count }
      let neurons = traits[layer].neurons
      let each = sizes.filter { $0 > 0 && $0 % neurons == 0 }.reduce(0) { $0 + $1 / neurons }
      if weighted.contains(index) {
        traits[layer].mixingWeights += each
        if case .convolution(let attributes) = node.operation, attributes.groups > 1 {
          traits[layer].isSummable = false
        }
      } else {
        traits[layer].localWeights += each
      }
    }
    return traits
  }
}
