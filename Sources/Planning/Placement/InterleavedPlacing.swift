package import ModelGraph
package import Plan

extension Placing {
  /// Neurons in order of importance (l1 norm of weights and bias), dealt round robin, so that every
  /// device has its share of the important ones.
  ///
  /// - Parameters:
  ///   - graph: the model with its weights.
  ///   - shares: relative amount of work for each device, by device; at least one above zero. A device
  ///     gets nothing of a layer that has too few neurons to go round.
  package static func interleaved(
    _ graph: Graph, sharding: Sharding, shares: [Double]
  ) -> [LayerPlacement] {
    sharding.layers.map { layer in
      let importance = Importance.l1(of: layer, graph: graph)
      let order = (0..<layer.neurons).sorted {
        (importance[$1], $0) < (importance[$0], $1)
      }
      return LayerPlacement(
        parts: Apportionment.deal(order, shares: shares).map { $0.sorted() })
    }
  }
}
