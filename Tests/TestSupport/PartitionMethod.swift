package import ModelGraph
package import Plan
import Planning

/// The methods that hold each neuron once, for tests that need a plan and not this or that one.
package enum PartitionMethod: String, Sendable, CaseIterable {
  case lop, interleaved

  /// Ascending neurons, by layer then device.
  package func parts(graph: Graph, sharding: Sharding, shares: [Double]) -> [[[Int]]] {
    let placements =
      switch self {
      case .lop:
        Placing.contiguous(LayerTraits.all(of: sharding, graph: graph), shares: shares)
      case .interleaved: Placing.interleaved(graph, sharding: sharding, shares: shares)
      }
    return placements.map { $0.primaries(devices: shares.count) }
  }
}
