public import ModelGraph
public import Plan

/// How the neurons of each layer are dealt to devices.
public enum PartitionMethod: String, Sendable, CaseIterable {
  /// Layer output partitioning: each device has one contiguous run of neurons.
  case lop
  /// Neurons in order of importance (l1 norm of weights and bias), dealt round robin, so that every
  /// device has its share of the important ones.
  case interleaved

  /// Places every neuron of every layer.
  ///
  /// - Parameters:
  ///   - graph: the model with its weights.
  ///   - shares: relative amount of work for each device, by device; at least one above zero.
  /// - Returns: ascending neurons, by layer then device. A device gets nothing of a layer that has
  ///   too few neurons to go round.
  public func parts(graph: Graph, sharding: Sharding, shares: [Double]) -> [[[Int]]] {
    sharding.layers.map { layer in
      switch self {
      case .lop:
        var next = 0
        return Apportionment.counts(of: layer.neurons, shares: shares).map { count in
          defer { next += count }
          return Array(next..<(next + count))
        }
      case .interleaved:
        let importance = Importance.l1(of: layer, graph: graph)
        let order = (0..<layer.neurons).sorted {
          (importance[$1], $0) < (importance[$0], $1)
        }
        return Apportionment.deal(order, shares: shares).map { $0.sorted() }
      }
    }
  }
}
