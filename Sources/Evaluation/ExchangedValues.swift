public import ModelGraph
public import Plan

/// One exchanged value of a plan, as a study sees it.
public struct ExchangedValue: Sendable, Hashable {
  /// The value and its channel axis.
  public var point: ChannelPoint
  /// The layer whose neurons the channels are.
  public var layer: Int
  /// Whether depthwise filters stand between the layer's weighted nodes and the value.
  public var isBehindFilters: Bool

  /// Describes a value.
  public init(point: ChannelPoint, layer: Int, isBehindFilters: Bool = false) {
    self.point = point
    self.layer = layer
    self.isBehindFilters = isBehindFilters
  }

  /// The values that are exchanged while all devices are there, in graph order: the places where
  /// lost neurons are missed.
  ///
  /// They depend on the graph alone, so all plans of a model have the same.
  public static func all(of graph: Graph, _ sharding: Sharding) -> [ExchangedValue] {
    let producers = graph.producers()
    let weighted = Set(sharding.layers.flatMap(\.weightedNodes))
    func isBehindFilters(_ value: ValueID) -> Bool {
      guard let index = producers[value], !weighted.contains(index) else { return false }
      let node = graph.nodes[index]
      // A convolution that is no layer of its own keeps channels apart.
      if case .convolution = node.operation { return true }
      return zip(node.inputs, sharding.uses[index]).contains { $1 == .own && isBehindFilters($0) }
    }
    return sharding.exchanges.compactMap { value in
      guard case .sharded(let layer, let axis) = sharding[value] else { return nil }
      return ExchangedValue(
        point: ChannelPoint(value: value, axis: axis), layer: layer,
        isBehindFilters: isBehindFilters(value))
    }
  }
}
