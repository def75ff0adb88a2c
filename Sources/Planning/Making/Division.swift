import Foundations
import ModelGraph
import Plan

/// What is to be divided otherwise than by the neurons of each layer.
package struct Division: Sendable, Hashable {
  /// The front, by rows.
  package var strips: StripWish
  /// Pairs of layers behind it, by their hidden neurons.
  package var pairs: PairWish

  /// Wishes; nothing unless told.
  package init(strips: StripWish = .none, pairs: PairWish = .none) {
    self.strips = strips
    self.pairs = pairs
  }

  /// Divides a layout.
  ///
  /// - Throws: what the wishes throw.
  func apply(to layout: PlanLayout, graph: Graph) throws(MartletError) -> PlanLayout {
    try pairs.apply(to: try strips.apply(to: layout, graph: graph), graph: graph)
  }
}

extension Sharding {
  /// What is divided otherwise than by the neurons of each layer, in words for a plan's method; nothing of
  /// most.
  func divisionTexts(of graph: Graph) -> [String] {
    [strips?.description(of: graph), pairText].compactMap { $0 }
  }
}
