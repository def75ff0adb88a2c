package import Foundations
package import ModelGraph
import Tensors

/// The front of a network that is divided by rows: every device holds its weights and computes a strip
/// of each value, as DeepThings (Zhao and others, 2018) and HALP (Li and others, 2023) do.
///
/// What a window needs beyond a device's own rows, the halo, is either sent by the devices that own
/// those rows, or computed by both.
package struct Strips: Sendable, Hashable {
  /// Positions in `Graph.nodes`, ascending.
  package let nodes: [Int]
  /// Results of `nodes` whose halos are sent; those of all others are computed twice.
  package let halos: Set<ValueID>
  /// Those of `nodes` that take means or sums over rows: each device takes its own rows', and these are
  /// exchanged. What comes of it everybody has in full.
  package let sums: Set<Int>
  /// The axis of the rows of each divided value: the results of all other `nodes`.
  package let axes: [ValueID: Int]

  /// Checks that the nodes can be divided by rows.
  ///
  /// - Throws: `unsupported`, naming the node, where one cannot; `mismatch` for nodes or values that are
  ///   not the graph's.
  package init(_ graph: Graph, nodes: [Int], halos: Set<ValueID>) throws(MartletError) {
    guard zip(nodes, nodes.dropFirst()).allSatisfy(<),
      nodes.allSatisfy(graph.nodes.indices.contains)
    else { throw MartletError(.mismatch, "the strips have nodes that the model does not have") }
    var axes: [ValueID: Int] = [:]
    var sums: Set<Int> = []
    for index in nodes {
      if Strips.isSum(graph.nodes[index], graph: graph, axes: axes) {
        sums.insert(index)
        continue
      }
      guard let axis = Strips.axis(of: graph.nodes[index], graph: graph, axes: axes) else {
        throw MartletError(
          .unsupported, "a node cannot be divided by rows",
          context: ["node": graph.nodes[index].name],
          hint: "plan without --strips, or with fewer of them")
      }
      axes[graph.nodes[index].output] = axis
    }
    guard halos.allSatisfy({ axes[$0] != nil }) else {
      throw MartletError(.mismatch, "a halo is to be sent of a value that is not divided by rows")
    }
    self.nodes = nodes
    self.axes = axes
    self.sums = sums
    self.halos = halos
  }

  /// The nodes up to some position that can be divided by rows, in one piece from the inputs on.
  ///
  /// - Parameter end: the position after the last node that may be among them.
  package static func front(of graph: Graph, end: Int) -> [Int] {
    var axes: [ValueID: Int] = [:]
    return graph.nodes.indices.prefix(max(0, end)).filter { index in
      let node = graph.nodes[index]
      guard let axis = axis(of: node, graph: graph, axes: axes) else {
        return isSum(node, graph: graph, axes: axes)
      }
      axes[node.output] = axis
      return true
    }
  }

  /// Whether a node, divided by rows, reads rows besides those that it computes.
  package static func reachesOut(_ node: Node, graph: Graph) -> Bool {
    (0..<graph[node.output].shape.rank).contains { axis in
      RowRule(node, axis: axis, graph: graph)?.operands.contains { operand in
        if case .rows(_, let reach) = operand { reach.reachesOut } else { false }
      } == true
    }
  }

  /// Whether a node takes the mean or the sum over all rows of a divided value, of one image.
  private static func isSum(_ node: Node, graph: Graph, axes: [ValueID: Int]) -> Bool {
    guard case .reduction(let reduction) = node.operation,
      reduction.kind == .mean || reduction.kind == .sum,
      let axis = axes[node.inputs[0]], reduction.axes.contains(axis), !reduction.axes.contains(0)
    else { return false }
    return graph[node.output].shape.dimensions.first == 1
  }

  private static func axis(of node: Node, graph: Graph, axes: [ValueID: Int]) -> Int? {
    RowRule.outputAxis(of: node, graph: graph) { value in
      axes[value] ?? (graph.inputs.contains(value) && graph[value].shape.rank == 4 ? 2 : nil)
    }
  }
}
