package import Foundations
package import ModelGraph
import Tensors

/// What is whole and what is split when a graph is spread over devices by channels.
///
/// Every computed value is *full* (each device that needs it has all channels) or *sharded* (each
/// device has only the channels of its own neurons). A weighted node with a channel-mixing kernel
/// reads a full value and yields a sharded one; channel-local nodes keep a value sharded; everything
/// else reads full values and is computed again on every device that needs it. A value that is
/// sharded where a reader needs it full is *exchanged*: as late as possible, so that pooling shrinks
/// what is sent, but before an addition to a value that everybody has in full, so that a lost neuron
/// takes only its own contribution with it and not the residual stream (RobustDiCE, section 4).
package struct Sharding: Sendable {
  /// Neurons that are placed together: those of one weighted node, or of several whose outputs are
  /// combined element by element before anybody gathers them.
  package struct Layer: Sendable, Hashable {
    /// Unique, `[a-z0-9_-]{1,32}`.
    package var id: String
    /// Output channels or units.
    package var neurons: Int
    /// Weighted nodes (positions in `Graph.nodes`), first to last.
    package var weightedNodes: [Int]
    /// Whether sums of its neurons mean something: all of them read the same values. Not so in a
    /// grouped convolution.
    package var isSummable: Bool
    /// All nodes of a block, which is placed as one neuron; nil for a layer of neurons. See
    /// `init(_:blocks:)`.
    package var block: Block?

    /// What a block computes.
    package struct Block: Sendable, Hashable {
      /// Positions in `Graph.nodes`, ascending.
      package var nodes: [Int]
      /// Output channels or units of its weighted nodes.
      package var units: Int
    }

    /// Output channels or units that are placed with each neuron.
    package var unitsPerNeuron: Int { block?.units ?? 1 }
  }

  /// A weighted node whose outputs are gathered before the activation and decoded everywhere.
  struct DecodedNode: Sendable, Hashable {
    /// Position in `Graph.nodes`.
    var node: Int
    /// Its layer.
    var layer: Int
    /// The axis of its output that counts neurons.
    var axis: Int
    /// The stage that its exchange ends.
    var stage: Int
  }

  /// Where a value's channels are.
  package enum Placement: Sendable, Hashable {
    /// All channels on every device that needs the value.
    case full
    /// Each device has the channels of its own neurons of a layer, along one axis.
    case sharded(layer: Int, axis: Int)
    /// Each device has some rows, with all their channels: indices along one axis. See `Strips`.
    case rows(axis: Int)
  }

  /// How a node reads an operand.
  package enum Use: Sendable, Hashable {
    /// A constant; sliced or permuted as the node requires.
    case constant
    /// All channels, gathered first if the operand is sharded.
    case full
    /// Own channels only, cut out first if the operand is full.
    case own
    /// Some rows only.
    case rows
  }

  /// The layers in graph order.
  package internal(set) var layers: [Layer] = []
  /// How each node reads its operands, by node.
  package internal(set) var uses: [[Use]] = []
  /// Where each computed value and input lives.
  package internal(set) var placements: [ValueID: Placement] = [:]
  /// The sharded values that somebody needs in full, in graph order.
  package internal(set) var exchanges: [ValueID] = []
  /// The stage that each exchange ends: how many exchanges lie on the longest way to it.
  package internal(set) var exchangeStages: [Int] = []
  /// Nodes that are decoded; none unless made by `decoding`.
  private(set) var decoded: [DecodedNode] = []
  /// What is divided by rows before layers are divided by neurons; nil for nothing.
  package private(set) var strips: Strips?
  /// Ends of pairs of layers: weighted nodes (positions in `Graph.nodes`, ascending) that read own
  /// channels only, and whose results are sums of what all devices compute from theirs.
  package private(set) var pairs: [Int] = []
  /// The stage that the exchange of each value's halos ends, or that of the parts of a sum.
  private(set) var innerStages: [ValueID: Int] = [:]

  /// Nothing yet.
  init() {}

  /// Propagates placements through a graph.
  ///
  /// - Parameters:
  ///   - strips: what is divided by rows first; its weighted nodes belong to no layer.
  ///   - pairs: the ends of pairs of layers; they belong to no layer either. See `pairs(of:strips:)`.
  /// - Throws: `MartletError.Code.unsupported` if the graph has no weighted node to split, and for a
  ///   node at which no pair can end; `mismatch` for ends that are no nodes.
  package init(
    _ graph: Graph, strips: Strips? = nil, pairs: [Int] = []
  ) throws(MartletError) {
    self.strips = strips
    self.pairs = pairs
    var builder = ShardingBuilder(graph: graph, strips: strips, pairs: .these(Set(pairs)))
    builder.propagate()
    builder.recomputeWhereCheap()
    try Sharding.check(pairs, builder)
    let roots = builder.layerRoots
    guard !roots.isEmpty else {
      throw MartletError(
        .unsupported,
        strips == nil
          ? "the model has no convolution or dense layer to split"
          : "strips leave no convolution or dense layer to split",
        context: ["model": graph.name])
    }
    let number = Dictionary(uniqueKeysWithValues: roots.enumerated().map { ($1, $0) })
    var taken: Set<String> = []
    for root in roots {
      let nodes = builder.weightedNodes[root] ?? []
      let id = Identifier.make(from: graph.nodes[nodes[0]].name, avoiding: taken)
      taken.insert(id)
      layers.append(
        Layer(
          id: id, neurons: builder.neurons[root], weightedNodes: nodes,
          isSummable: nodes.allSatisfy { graph.nodes[$0].isUngrouped }))
    }
    take(builder, graph) { number[$0] ?? 0 }
  }

  /// The same layers, some of them gathered before their activation, because lost neurons can only
  /// be decoded there. What follows is computed in full by everybody, except depthwise convolutions,
  /// whose filters only the neurons' holders have: from there on the layer is sharded again.
  ///
  /// - Parameter layers: positions in `layers`.
  func decoding(_ layers: Set<Int>, of graph: Graph) -> Sharding {
    guard !layers.isEmpty else { return self }
    var layerOfNode: [Int: Int] = [:]
    for (number, layer) in self.layers.enumerated() {
      for node in layer.weightedNodes { layerOfNode[node] = number }
    }
    var builder = ShardingBuilder(
      graph: graph, decoded: Set(layers.flatMap { self.layers[$0].weightedNodes }), strips: strips,
      pairs: .these(Set(pairs)))
    builder.propagate()
    builder.recomputeWhereCheap()
    var result = self
    result.take(builder, graph) { root in
      layerOfNode[builder.weightedNodes[root]?.first ?? -1] ?? 0
    }
    return result
  }

  private mutating func take(
    _ builder: ShardingBuilder, _ graph: Graph, number: (Int) -> Int
  ) {
    uses = builder.uses
    exchanges = builder.exchanges
    placements = builder.placements.mapValues { placement in
      guard case .sharded(let layer, let axis) = placement else { return placement }
      return .sharded(layer: number(builder.root(of: layer)), axis: axis)
    }
    let stages = countStages(graph, decoded: Set(builder.decodedNodes.map(\.node)))
    exchangeStages = exchanges.map { stages[$0] ?? 0 }
    innerStages = [:]
    for value in strips?.halos.subtracting(exchanges) ?? [] {
      innerStages[value] = stages[value] ?? 0
    }
    for node in sums {
      let value = graph.nodes[node].output
      innerStages[value] = (stages[value] ?? 1) - 1
    }
    decoded = builder.decodedNodes.map { node, layer, axis in
      DecodedNode(
        node: node, layer: number(builder.root(of: layer)), axis: axis,
        stage: (stages[graph.nodes[node].output] ?? 1) - 1)
    }
  }

  func countStages(_ graph: Graph, decoded: Set<Int> = []) -> [ValueID: Int] {
    var stages: [ValueID: Int] = [:]
    let sentInRows = (strips?.halos ?? []).union(exchanges)
    let sums = sums
    for (index, (node, uses)) in zip(graph.nodes, uses).enumerated() {
      let inputs =
        zip(node.inputs, uses).map { input, use in
          let gathered =
            use == .full && self[input] != .full || use == .rows && sentInRows.contains(input)
          return (stages[input] ?? 0) + (gathered ? 1 : 0)
        }.max() ?? 0
      let isGathered = decoded.contains(index) || sums.contains(index)
      stages[node.output] = inputs + (isGathered ? 1 : 0)
    }
    return stages
  }

  /// Nodes whose results are sums of parts that devices exchange.
  private var sums: Set<Int> { (strips?.sums ?? []).union(pairs) }

  /// Where a value lives; constants are full.
  package subscript(id: ValueID) -> Placement { placements[id] ?? .full }
}
