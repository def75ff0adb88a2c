/// Which results are null vectors when some values are (deepFogGuard, definitions 1 and 4).
///
/// An addition or concatenation ignores null operands, which count as zero; it is null when nothing
/// but null comes in. Everything else is null as soon as one of its operands is: there is nothing to
/// compute it from.
package struct NullFlow: Sendable {
  private struct Rule: Sendable {
    /// Operands that are no constants, and so may be null.
    var operands: [ValueID]
    var needsAll: Bool
  }

  private let rules: [Rule]

  /// Reads the structure of a graph; its constants may be without elements.
  package init(_ graph: borrowing Graph) {
    let computed = Set(graph.inputs).union(graph.nodes.map(\.output))
    rules = graph.nodes.map { node in
      let isSum =
        switch node.operation {
        case .binary(.add), .concatenation: true
        default: false
        }
      return Rule(operands: node.inputs.filter(computed.contains), needsAll: isSum)
    }
  }

  /// Whether a node (a position in `Graph.nodes`) puts out null when these values are null.
  package func isNull(_ node: Int, when nulls: Set<ValueID>) -> Bool {
    let rule = rules[node]
    guard rule.needsAll else { return rule.operands.contains(where: nulls.contains) }
    return !rule.operands.isEmpty && rule.operands.allSatisfy(nulls.contains)
  }
}
