package import Foundations

/// Which nodes are there (definition 3), and how likely that is (equation 2).
package struct FailureCombination: Sendable, Hashable {
  /// By node; true where it survives. The cloud always does.
  package var alive: [Bool]

  /// Makes a combination.
  package init(alive: [Bool]) { self.alive = alive }

  /// p(B|R): the product over all nodes of r where the node is there and 1 - r where it is not.
  ///
  /// - Parameter survival: by node, as many as `alive`.
  package func probability(_ survival: [Double]) -> Double {
    zip(alive, survival).reduce(1) { $0 * ($1.0 ? $1.1 : 1 - $1.1) }
  }

  /// All 2^n combinations of the nodes that may fail, everybody there first.
  ///
  /// - Precondition: at most 30 of them.
  package static func all(nodes: Int, fallible: [Int]) -> [FailureCombination] {
    precondition(fallible.count <= 30, "too many combinations")
    return (0..<(1 << fallible.count)).map { bits in
      var alive = [Bool](repeating: true, count: nodes)
      for (position, node) in fallible.enumerated() where bits >> position & 1 == 1 {
        alive[node] = false
      }
      return FailureCombination(alive: alive)
    }
  }

  /// Combinations drawn by their probability.
  package static func sample(
    _ count: Int, survival: [Double], using generator: inout SeededGenerator
  ) -> [FailureCombination] {
    (0..<count).map { _ in
      FailureCombination(alive: survival.map { generator.unit() < $0 })
    }
  }
}
