import Foundations
package import ModelGraph
package import Plan
import Tensors

/// One exchanged value of a plan, as a study sees it.
package struct ExchangedValue: Sendable, Hashable {
  /// The value and its channel axis.
  package var point: ChannelPoint
  /// The layer whose neurons the channels are.
  package var layer: Int
  /// Whether depthwise filters stand between the layer's weighted nodes and the value.
  package var isBehindFilters: Bool
  /// Whether it is the hidden value of a pair: not gathered by anybody, but read by each device for its
  /// own contribution to the pair's result. What is lost of it is zero, whatever fills other channels.
  package var isHidden: Bool
  /// The channels that go with the layer's one neuron, if the layer is a block that is placed whole;
  /// nil where channels are neurons.
  package var wholeChannels: Int?

  /// Describes a value.
  package init(
    point: ChannelPoint, layer: Int, isBehindFilters: Bool = false, isHidden: Bool = false,
    wholeChannels: Int? = nil
  ) {
    self.isHidden = isHidden
    self.point = point
    self.layer = layer
    self.isBehindFilters = isBehindFilters
    self.wholeChannels = wholeChannels
  }

  /// A fill of such values, of which those of pairs lose zeros.
  package static func fill(_ fill: Plan.Fill, of values: [ExchangedValue]) -> Plan.Fill {
    guard let constants = fill.constants else { return fill }
    return Plan.Fill(
      fill.kind,
      constants: zip(values, constants).map { value, constants in
        value.isHidden ? constants.map { _ in 0 } : constants
      })
  }

  /// The channels that are lost with these neurons of the layer.
  func channels(lost neurons: [Int]) -> [Int] {
    guard let wholeChannels else { return neurons }
    return neurons.isEmpty ? [] : Array(0..<wholeChannels)
  }

  /// The values that are exchanged while all devices are there, and the hidden values of pairs, in graph
  /// order: the places where lost neurons are missed.
  ///
  /// They depend on the graph, its strips and pairs alone, so all other horizontal plans of a model have
  /// the same. A block's values are whole: all their channels are lost together.
  package static func all(of graph: Graph, _ sharding: Sharding) -> [ExchangedValue] {
    let producers = graph.producers()
    let weighted = Set(sharding.layers.flatMap(\.weightedNodes) + sharding.pairs)
    func isBehindFilters(_ value: ValueID) -> Bool {
      guard let index = producers[value], !weighted.contains(index) else { return false }
      let node = graph.nodes[index]
      // A convolution that is no layer of its own keeps channels apart.
      if case .convolution = node.operation { return true }
      return zip(node.inputs, sharding.uses[index]).contains { $1 == .own && isBehindFilters($0) }
    }
    let hidden = Set(sharding.pairs.map { graph.nodes[$0].inputs[0] })
    let missed = (sharding.exchanges + hidden).sorted { a, b in
      (producers[a] ?? -1) < (producers[b] ?? -1)
    }
    return missed.compactMap { value in
      guard case .sharded(let layer, let axis) = sharding[value] else { return nil }
      if sharding.layers[layer].block != nil {
        let shape = graph[value].shape
        return ExchangedValue(
          point: ChannelPoint(value: value, axis: 1), layer: layer,
          wholeChannels: shape.rank > 1 ? shape[1] : 0)
      }
      return ExchangedValue(
        point: ChannelPoint(value: value, axis: axis), layer: layer,
        isBehindFilters: isBehindFilters(value), isHidden: hidden.contains(value))
    }
  }
}
