import Foundations
import ModelGraph
import Tensors

// What is exchanged.
extension Plan {
  /// Every exchange that any attendance may need: those of a frame with all devices first.
  static func exchangePoints(
    graph: Graph, sharding: Sharding, placements: [LayerPlacement], devices: Int
  ) -> [ExchangePoint] {
    var taken: Set<String> = []
    func point(
      _ value: ValueID, layer: Int, axis: Int, stage: Int?, isDecoded: Bool
    ) -> ExchangePoint {
      let name = sharding.layers[layer].id
      let id = Identifier.make(from: isDecoded ? name + "-raw" : name, avoiding: taken)
      taken.insert(id)
      let placement = placements[layer]
      let parity = placement.code?.parityRows(devices: devices)
      return ExchangePoint(
        id: id, value: value, layer: layer, axis: axis, stage: stage, isDecoded: isDecoded,
        shape: graph[value].shape,
        maximumExtent: graph[value].shape[axis] + (isDecoded ? parity?.max() ?? 0 : 0),
        senders: (0..<devices).filter { device in
          isDecoded
            ? placement.code?.involves(device) == true
            : placement.holders.contains { $0.contains(device) }
        }, isWhole: sharding.layers[layer].block != nil)
    }
    var points = stripPoints(graph: graph, sharding: sharding, devices: devices, taken: &taken)
    var channelPoints: [ExchangePoint] = []
    for (value, stage) in zip(sharding.exchanges, sharding.exchangeStages) {
      guard case .sharded(let layer, let axis) = sharding[value] else { continue }
      channelPoints.append(point(value, layer: layer, axis: axis, stage: stage, isDecoded: false))
    }
    for (index, layer) in zip(sharding.pairs, sharding.hiddenLayers(graph)) {
      channelPoints.append(
        sumPoint(
          graph.nodes[index], layer: layer, graph: graph, sharding: sharding,
          placements: placements,
          devices: devices, taken: &taken))
    }
    let producers = graph.producers()
    points += channelPoints.sorted { (producers[$0.value] ?? -1) < (producers[$1.value] ?? -1) }
    guard placements.contains(where: { $0.code != nil }) else { return points }
    // With some layers gathered early, other values may have to be gathered than without.
    let known = Set(sharding.exchanges)
    for node in graph.nodes where !known.contains(node.output) {
      guard case .sharded(let layer, let axis) = sharding[node.output] else { continue }
      points.append(point(node.output, layer: layer, axis: axis, stage: nil, isDecoded: false))
    }
    for (number, layer) in sharding.layers.enumerated() where placements[number].code != nil {
      for node in layer.weightedNodes.map({ graph.nodes[$0] }) {
        guard case .weighted(_, let axis) = ChannelRule(node: node, graph: graph) else { continue }
        points.append(
          point(node.output, layer: number, axis: axis, stage: nil, isDecoded: true))
      }
    }
    return points
  }

  /// The exchange of what devices contribute to the end of a pair.
  private static func sumPoint(
    _ node: Node, layer: Int, graph: Graph, sharding: Sharding, placements: [LayerPlacement],
    devices: Int, taken: inout Set<String>
  ) -> ExchangePoint {
    let id = Identifier.make(from: node.name, avoiding: taken)
    taken.insert(id)
    return ExchangePoint(
      id: id, value: node.output, layer: layer, axis: 0, stage: sharding.innerStages[node.output],
      isDecoded: false, shape: graph[node.output].shape.replacing(axis: 0, with: devices),
      maximumExtent: 1,
      senders: (0..<devices).filter { device in
        placements[layer].holders.contains { $0.contains(device) }
      }, isPairSum: true)
  }

  /// The exchanges of values that are divided by rows, in graph order: of halos one for each device that
  /// may read some, so that it receives nothing else.
  private static func stripPoints(
    graph: Graph, sharding: Sharding, devices: Int, taken: inout Set<String>
  ) -> [ExchangePoint] {
    guard let strips = sharding.strips else { return [] }
    let whole = Dictionary(uniqueKeysWithValues: zip(sharding.exchanges, sharding.exchangeStages))
    var points: [ExchangePoint] = []
    for index in strips.nodes {
      let node = graph.nodes[index]
      let isSum = strips.sums.contains(index)
      guard let stage = whole[node.output] ?? sharding.innerStages[node.output],
        let axis = isSum ? 0 : strips.axes[node.output]
      else { continue }
      var shape = graph[node.output].shape
      if isSum { shape = shape.replacing(axis: 0, with: devices) }
      let isOfAll = isSum || whole[node.output] != nil
      for reader in isOfAll ? [nil] : (0..<devices).map(Optional.some) {
        let name = Identifier.make(from: node.name)
        let id = Identifier.make(
          from: reader.map { "\(name.suffix(26))-to\($0)" } ?? name, avoiding: taken)
        taken.insert(id)
        points.append(
          ExchangePoint(
            id: id, value: node.output, layer: nil, reader: reader, axis: axis, stage: stage,
            isDecoded: false, shape: shape, maximumExtent: isSum ? 1 : shape[axis],
            senders: (0..<devices).filter { $0 != reader }))
      }
    }
    return points
  }
}
