package import ModelGraph
package import Plan

extension Sharding {
  /// The ends of as many pairs as can be had together, taken from the front on: also of those by which
  /// more is sent.
  ///
  /// - Parameter isWanted: by position of the node; whether to try it.
  package static func everyPair(
    of graph: Graph, strips: Strips? = nil, isWanted: (Int) -> Bool = { _ in true }
  ) -> [Int] {
    graph.nodes.indices.reduce(into: []) { pairs, index in
      guard isWanted(index),
        (try? Sharding(graph, strips: strips, pairs: pairs + [index])) != nil
      else { return }
      pairs.append(index)
    }
  }
}
