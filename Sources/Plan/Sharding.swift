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
  }

  /// How a node reads an operand.
  package enum Use: Sendable, Hashable {
    /// A constant; sliced or permuted as the node requires.
    case constant
    /// All channels, gathered first if the operand is sharded.
    case full
    /// Own channels only, cut out first if the operand is full.
    case own
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

  /// Nothing yet.
  init() {}

  /// Propagates placements through a graph.
  ///
  /// - Throws: `MartletError.Code.unsupported` if the graph has no weighted node to split.
  package init(_ graph: Graph) throws(MartletError) {
    var builder = ShardingBuilder(graph: graph)
    builder.propagate()
    builder.recomputeWhereCheap()
    let roots = builder.layerRoots
    guard !roots.isEmpty else {
      throw MartletError(
        .unsupported, "the model has no convolution or dense layer to split",
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
      graph: graph, decoded: Set(layers.flatMap { self.layers[$0].weightedNodes }))
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
      guard case .sharded(let layer, let axis) = placement else { return .full }
      return .sharded(layer: number(builder.root(of: layer)), axis: axis)
    }
    let stages = countStages(graph, decoded: Set(builder.decodedNodes.map(\.node)))
    exchangeStages = exchanges.map { stages[$0] ?? 0 }
    decoded = builder.decodedNodes.map { node, layer, axis in
      DecodedNode(
        node: node, layer: number(builder.root(of: layer)), axis: axis,
        stage: (stages[graph.nodes[node].output] ?? 1) - 1)
    }
  }

  func countStages(_ graph: Graph, decoded: Set<Int> = []) -> [ValueID: Int] {
    var stages: [ValueID: Int] = [:]
    for (index, (node, uses)) in zip(graph.nodes, uses).enumerated() {
      let inputs =
        zip(node.inputs, uses).map { input, use in
          let gathered = use == .full && self[input] != .full
          return (stages[input] ?? 0) + (gathered ? 1 : 0)
        }.max() ?? 0
      stages[node.output] = inputs + (decoded.contains(index) ? 1 : 0)
    }
    return stages
  }

  /// Where a value lives; constants are full.
  package subscript(id: ValueID) -> Placement { placements[id] ?? .full }
}

/// The state of the propagation; layers are merged by union-find.
struct ShardingBuilder {
  let graph: Graph
  var placements: [ValueID: Sharding.Placement] = [:]
  var uses: [[Sharding.Use]] = []
  var exchanges: [ValueID] = []
  var neurons: [Int] = []
  var weightedNodes: [Int: [Int]] = [:]
  private var parents: [Int] = []
  private var exchanged: Set<ValueID> = []
  private let computed: Set<ValueID>
  /// Weighted nodes to decode, and the layer and axis of each that has been met.
  private let decoded: Set<Int>
  private(set) var decodedNodes: [(node: Int, layer: Int, axis: Int)] = []
  /// Full values that are decoded outputs or channel-local functions of them.
  private var origins: [ValueID: (layer: Int, axis: Int)] = [:]

  init(graph: Graph, decoded: Set<Int> = []) {
    self.graph = graph
    self.decoded = decoded
    computed = graph.computedValues
    for input in graph.inputs { placements[input] = .full }
  }

  /// The representatives of the merged layers, in graph order.
  var layerRoots: [Int] { parents.indices.filter { parents[$0] == $0 } }

  func root(of layer: Int) -> Int {
    var current = layer
    while parents[current] != current { current = parents[current] }
    return current
  }

  mutating func propagate() {
    for index in graph.nodes.indices { place(index) }
    for output in graph.outputs { gather(output) }
    sortExchanges()
  }

  private mutating func sortExchanges() {
    let position = graph.producers()
    exchanges.sort { (position[$0] ?? -1) < (position[$1] ?? -1) }
  }

  private mutating func newLayer(_ count: Int, node: Int) -> Int {
    parents.append(parents.count)
    neurons.append(count)
    weightedNodes[parents.count - 1] = [node]
    return parents.count - 1
  }

  /// Merges two layers of equal size; the earlier one represents both.
  private mutating func merge(_ first: Int, _ second: Int) {
    let (low, high) = (
      min(root(of: first), root(of: second)), max(root(of: first), root(of: second))
    )
    guard low != high else { return }
    parents[high] = low
    weightedNodes[low] = ((weightedNodes[low] ?? []) + (weightedNodes[high] ?? [])).sorted()
    weightedNodes[high] = nil
  }

  private mutating func gather(_ value: ValueID) {
    guard case .sharded = placements[value] ?? .full, exchanged.insert(value).inserted else {
      return
    }
    exchanges.append(value)
  }

  private func isComputed(_ value: ValueID) -> Bool { computed.contains(value) }

  /// Decides one node; its operands have been decided.
  private mutating func place(_ index: Int) {
    let node = graph.nodes[index]
    let rule = ChannelRule(node: node, graph: graph)
    switch rule {
    case .weighted(let count, let axis):
      needFull(index)
      let layer = newLayer(count, node: index)
      guard decoded.contains(index) else {
        placements[node.output] = .sharded(layer: layer, axis: axis)
        break
      }
      decodedNodes.append((index, layer, axis))
      origins[node.output] = (layer, axis)
      placements[node.output] = .full
    case .local(let map):
      placeLocal(index, map)
    case .elementwise:
      placeElementwise(index)
    case .mixing:
      needFull(index)
      placements[node.output] = .full
    }
  }

  private mutating func needFull(_ index: Int) {
    let node = graph.nodes[index]
    uses.append(node.inputs.map { isComputed($0) ? .full : .constant })
    for input in node.inputs where isComputed(input) { gather(input) }
  }

  private mutating func placeLocal(_ index: Int, _ map: (Int) -> Int?) {
    let node = graph.nodes[index]
    guard case .sharded(let layer, let axis) = placements[node.inputs[0]] ?? .full,
      let outputAxis = map(axis)
    else {
      placeDecoded(index, map)
      return
    }
    uses.append(node.inputs.indices.map { $0 == 0 ? .own : .constant })
    placements[node.output] = .sharded(layer: layer, axis: outputAxis)
  }

  /// A channel-local function of a full value, perhaps of a decoded one.
  private mutating func placeDecoded(_ index: Int, _ map: (Int) -> Int?) {
    let node = graph.nodes[index]
    let origin = origins[node.inputs[0]]
    if let origin, let axis = map(origin.axis), node.isDepthwise(graph) {
      uses.append(node.inputs.indices.map { $0 == 0 ? .own : .constant })
      placements[node.output] = .sharded(layer: origin.layer, axis: axis)
      return
    }
    needFull(index)
    placements[node.output] = .full
    if let origin, let axis = map(origin.axis) { origins[node.output] = (origin.layer, axis) }
  }

  /// Two operands, element by element with broadcasting.
  private mutating func placeElementwise(_ index: Int) {
    let node = graph.nodes[index]
    guard let placement = elementwisePlacement(node) else {
      needFull(index)
      placements[node.output] = .full
      carryOrigin(node)
      return
    }
    placements[node.output] = placement.output
    uses.append(placement.uses)
  }

  /// Combined with constants only, a decoded value keeps its channels.
  private mutating func carryOrigin(_ node: Node) {
    let operands = node.inputs.filter { isComputed($0) }
    guard operands.count == 1, let origin = origins[operands[0]],
      graph[operands[0]].shape == graph[node.output].shape
    else { return }
    origins[node.output] = origin
  }

  private mutating func elementwisePlacement(
    _ node: Node
  ) -> (output: Sharding.Placement, uses: [Sharding.Use])? {
    let rank = graph[node.output].shape.rank
    // The sharded operands as (layer, axis of the output).
    let sharded = node.inputs.map { input -> (layer: Int, axis: Int)? in
      guard isComputed(input), case .sharded(let layer, let axis) = placements[input] ?? .full
      else { return nil }
      return (layer, axis + rank - graph[input].shape.rank)
    }
    guard let lead = sharded.compactMap({ $0 }).first else { return nil }
    let extent = neurons[root(of: lead.layer)]
    guard graph[node.output].shape[lead.axis] == extent else { return nil }
    var uses: [Sharding.Use] = []
    for (input, own) in zip(node.inputs, sharded) {
      let axis = lead.axis - (rank - graph[input].shape.rank)
      let spansChannels = axis >= 0 && graph[input].shape[axis] == extent && extent > 1
      if let own {
        guard own.axis == lead.axis, neurons[root(of: own.layer)] == extent else { return nil }
        // A value that everybody gathers anyway is the residual stream: add to all of it.
        if keepsResidual(node), exchanged.contains(input), node.inputs.count > 1,
          node.inputs.contains(where: { $0 != input && isComputed($0) })
        {
          return nil
        }
        uses.append(.own)
      } else if !isComputed(input) {
        uses.append(.constant)
      } else if spansChannels {
        if keepsResidual(node) { return nil }
        uses.append(.own)
      } else {
        uses.append(.full)
      }
    }
    for own in sharded.compactMap({ $0 }) { merge(lead.layer, own.layer) }
    return (.sharded(layer: lead.layer, axis: lead.axis), uses)
  }

  /// Whether a zero operand leaves the other one as the result, as in a residual addition.
  private func keepsResidual(_ node: Node) -> Bool {
    switch node.operation {
    case .binary(.add), .binary(.subtract), .binary(.maximum), .binary(.minimum): true
    default: false
    }
  }

  /// Where both a value and a cheap function of it would be exchanged, the second exchange is
  /// replaced by computing that function of the first on every device.
  mutating func recomputeWhereCheap() {
    let producers = graph.producers()
    for value in exchanges {
      guard let index = producers[value] else { continue }
      let node = graph.nodes[index]
      switch node.operation {
      case .pooling, .activation, .unary, .reduction, .reshape, .transpose, .slice, .pad: break
      default: continue
      }
      guard exchanged.contains(node.inputs[0]), readersNeedFull(value) else { continue }
      uses[index] = node.inputs.map { isComputed($0) ? .full : .constant }
      placements[value] = .full
      exchanged.remove(value)
      exchanges.removeAll { $0 == value }
    }
  }

  private func readersNeedFull(_ value: ValueID) -> Bool {
    for (index, node) in graph.nodes.enumerated() {
      for (input, use) in zip(node.inputs, uses[index]) where input == value && use != .full {
        return false
      }
    }
    return true
  }
}
