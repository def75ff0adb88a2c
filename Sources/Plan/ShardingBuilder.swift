import ModelGraph
import Tensors

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
  /// Values that differ from frame to frame.
  private let varying: Set<ValueID>
  /// Weighted nodes to decode, and the layer and axis of each that has been met.
  private let decoded: Set<Int>
  private let strips: Strips?
  let pairs: Pairs
  /// The nodes that end pairs, in graph order.
  private(set) var pairEnds: [Int] = []
  private let divided: Set<Int>
  private(set) var decodedNodes: [(node: Int, layer: Int, axis: Int)] = []
  /// Full values that are decoded outputs or channel-local functions of them.
  private var origins: [ValueID: (layer: Int, axis: Int)] = [:]

  init(
    graph: Graph, decoded: Set<Int> = [], strips: Strips? = nil, pairs: Pairs = .these([])
  ) {
    self.graph = graph
    self.pairs = pairs
    self.decoded = decoded
    self.strips = strips
    divided = Set(strips?.nodes ?? [])
    computed = graph.computedValues
    varying = graph.values(reachedFrom: graph.inputs)
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
    guard placements[value] ?? .full != .full, exchanged.insert(value).inserted else { return }
    exchanges.append(value)
  }

  private func isComputed(_ value: ValueID) -> Bool { computed.contains(value) }

  /// Decides one node; its operands have been decided.
  private mutating func place(_ index: Int) {
    let node = graph.nodes[index]
    guard !divided.contains(index) else { return placeRows(index) }
    switch rule(of: node) {
    case .weighted where endsPair(index):
      uses.append(node.inputs.indices.map { $0 == 0 ? .own : .constant })
      placements[node.output] = .full
      pairEnds.append(index)
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

  /// What constants alone determine is the same in every frame: whoever reads it computes it. Weights
  /// that are computed themselves have no neurons that could be cut out of a shard.
  private func rule(of node: Node) -> ChannelRule {
    guard varying.contains(node.output) else { return .mixing }
    let rule = ChannelRule(node: node, graph: graph)
    switch rule {
    case .weighted, .local:
      return node.inputs.dropFirst().contains(where: isComputed) ? .mixing : rule
    case .elementwise, .mixing: return rule
    }
  }

  private mutating func placeRows(_ index: Int) {
    let node = graph.nodes[index]
    guard strips?.sums.contains(index) != true else {
      uses.append([.rows])
      placements[node.output] = .full
      return
    }
    guard let axis = strips?.axes[node.output],
      let rule = RowRule(node, axis: axis, graph: graph)
    else { return needFull(index) }
    uses.append(
      zip(node.inputs, rule.operands).map { input, operand in
        guard isComputed(input) else { return .constant }
        if case .rows = operand, case .rows = placements[input] ?? .full { return .rows }
        gather(input)
        return .full
      })
    placements[node.output] = .rows(axis: axis)
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
      let hasExtent = axis >= 0 && graph[input].shape[axis] == extent
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
      } else if hasExtent, keepsResidual(node) {
        // One neuron, too: with codes the other operand may be gathered or decoded, and what is full then
        // must be full in both cases.
        return nil
      } else if hasExtent, extent > 1 {
        uses.append(.own)
      } else {
        uses.append(.full)
      }
    }
    for own in sharded.compactMap({ $0 }) { merge(lead.layer, own.layer) }
    for input in node.inputs {
      if case .rows = placements[input] ?? .full { gather(input) }
    }
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
      guard !divided.contains(index) else { continue }
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
