package import Foundations
package import ModelGraph
package import Plan

/// Finds how much of a network's front is best divided by rows, and which halos are best sent, on devices
/// and links that a cost model knows.
///
/// Every end of the front is priced with the halos of its narrowest values; at the best one, halos are then
/// given up one by one, for as long as computing rows twice is cheaper than waiting for them. The layers
/// behind the front are dealt in contiguous runs meanwhile: what method places them later changes little of
/// what the front costs.
package struct StripSearch {
  private let graph: Graph
  private let price: PlacementPrice

  /// Prepares a search.
  package init(_ graph: Graph, price: PlacementPrice) {
    self.graph = graph
    self.price = price
  }

  /// The best front; nil where nothing is best divided by rows.
  ///
  /// - Throws: what the price's `check` throws.
  package func best() throws(MartletError) -> Strips? {
    let front = StripFront(graph)
    var best: (strips: Strips?, price: Double) = (nil, try price(strips: nil) ?? .infinity)
    for end in front.ends {
      guard let strips = front.strips(end: end), let price = try price(strips: strips) else {
        continue
      }
      if price < best.price { best = (strips, price) }
    }
    guard var strips = best.strips else { return nil }
    var isBetter = true
    while isBetter {
      isBetter = false
      for value in strips.halos.sorted() {
        let fewer = strips.halos.subtracting([value])
        guard let other = try? Strips(graph, nodes: strips.nodes, halos: fewer),
          let price = try price(strips: other), price < best.price
        else { continue }
        best.price = price
        strips = other
        isBetter = true
      }
    }
    return strips
  }
}
