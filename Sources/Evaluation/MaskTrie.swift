/// Masks arranged so that what two of them share is computed once.
///
/// A level is one boundary of the model: the points that are reached at the same time. Masks that
/// agree up to some boundary share the way to it, and masks that agree everywhere share one leaf.
package struct MaskTrie: Sendable {
  struct Node: Sendable {
    /// The lost channels at the boundary above this node, by position among its points.
    var lost: [[Int]]
    /// What stands in for them; 0 where nothing is lost, so that the fill makes no difference.
    var fill: Int
    /// What travelling does to the rest: the first rounding that does the same here.
    var wire = 0
    var children: [Int] = []
    /// At the deepest level.
    var leaf: Int?
  }

  /// From the root, which is entry 0.
  private(set) var nodes = [Node(lost: [], fill: 0)]
  /// The masks of each leaf, by their position among the given ones.
  package private(set) var leaves: [[Int]] = []

  /// How many runs of a stage of the model one batch takes.
  package var runs: Int { nodes.count }

  /// - Parameters:
  ///   - masks: one lost set per point each.
  ///   - wires: what `Mask.wire` counts.
  ///   - boundaries: the points of each boundary, first boundary first.
  init(_ masks: [Mask], wires: [WireRounding], boundaries: [[Int]]) {
    let sameWire = boundaries.map { points in
      wires.map { wire in wires.firstIndex { $0.agrees(with: wire, at: points) } ?? 0 }
    }
    // Lost sets by number, so that long sets are hashed once and not at every level.
    var numbers: [[Int]: Int] = [:]
    var known: [Edge: Int] = [:]
    for (index, mask) in masks.enumerated() {
      var node = 0
      for (boundary, points) in boundaries.enumerated() {
        let sets = points.map { point in
          let number = numbers[mask.lost[point]] ?? numbers.count
          numbers[mask.lost[point]] = number
          return number
        }
        let fill = points.allSatisfy { mask.lost[$0].isEmpty } ? 0 : mask.fill
        let wire = sameWire[boundary][mask.wire]
        let edge = Edge(from: node, sets: sets, fill: fill, wire: wire)
        if let child = known[edge] {
          node = child
          continue
        }
        nodes.append(Node(lost: points.map { mask.lost[$0] }, fill: fill, wire: wire))
        known[edge] = nodes.count - 1
        nodes[node].children.append(nodes.count - 1)
        node = nodes.count - 1
      }
      if let leaf = nodes[node].leaf {
        leaves[leaf].append(index)
      } else {
        nodes[node].leaf = leaves.count
        leaves.append([index])
      }
    }
  }

  /// The way from a node to a child.
  private struct Edge: Hashable {
    var from: Int
    var sets: [Int]
    var fill: Int
    var wire: Int
  }
}
