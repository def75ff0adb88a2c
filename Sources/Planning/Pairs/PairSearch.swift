package import Foundations
package import ModelGraph
package import Plan

/// Finds which pairs of layers are best divided by their hidden neurons, on devices and links that a cost
/// model knows.
///
/// All pairs by which at least two devices would send less are priced together, and none; from the better of the two on, each is
/// taken in or left out where that is cheaper. Neurons are dealt in contiguous runs meanwhile: what method
/// places them later changes little of what pairs cost.
package struct PairSearch {
  private let graph: Graph
  private let price: PlacementPrice

  /// Prepares a search.
  package init(_ graph: Graph, price: PlacementPrice) {
    self.graph = graph
    self.price = price
  }

  /// The ends of the best pairs; none where that is best.
  ///
  /// - Parameter strips: what is divided by rows first.
  /// - Throws: what the price's `check` throws.
  package func best(behind strips: Strips? = nil) throws(MartletError) -> [Int] {
    let all = Sharding.pairs(of: graph, strips: strips)
    guard !all.isEmpty else { return [] }
    func priced(_ pairs: [Int]) throws(MartletError) -> Double {
      try price(strips: strips, pairs: pairs) ?? .infinity
    }
    var best = (pairs: [Int](), price: try priced([]))
    let together = try priced(all)
    if together < best.price { best = (all, together) }
    for end in all {
      let other = all.filter { best.pairs.contains($0) != ($0 == end) }
      let price = try priced(other)
      if price < best.price { best = (other, price) }
    }
    return best.pairs
  }
}
