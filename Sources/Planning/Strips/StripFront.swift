package import ModelGraph
package import Plan
import Tensors

/// Where the front of a network that is divided by rows may end, and which halos are then worth
/// sending.
package struct StripFront: Sendable {
  private let graph: Graph
  /// All nodes that can be divided by rows.
  private let nodes: [Int]

  /// Looks at a model.
  package init(_ graph: Graph) {
    self.graph = graph
    nodes = Strips.front(of: graph, end: graph.nodes.count)
  }

  /// Whether anything can be divided by rows.
  package var isEmpty: Bool { nodes.isEmpty }

  /// Positions after which the front may end: those where one value leads on, first to last; the end of
  /// all that can be divided as well.
  package var ends: [Int] {
    var ends: [Int] = []
    let last = lastReaders()
    var open: Set<ValueID> = []
    let divided = Set(nodes)
    for (index, node) in graph.nodes.enumerated() {
      open.insert(node.output)
      open = open.filter { (last[$0] ?? -1) > index }
      if divided.contains(index), open == [node.output], isWindowNext(node.output) {
        ends.append(index + 1)
      }
    }
    if let end = nodes.last.map({ $0 + 1 }), ends.last != end { ends.append(end) }
    return ends
  }

  /// The front up to some position; nil if nothing of it can be divided.
  package func strips(end: Int) -> Strips? {
    let chosen = nodes.filter { $0 < end }
    guard !chosen.isEmpty else { return nil }
    return try? Strips(graph, nodes: chosen, halos: halos(of: chosen))
  }

  /// Whether what reads a value is heavy: a good place to change over is before one of these.
  private func isWindowNext(_ value: ValueID) -> Bool {
    graph.nodes.contains { node in
      guard node.inputs.first == value else { return false }
      switch node.operation {
      case .convolution, .dense, .matMul, .reduction: return true
      default: return false
      }
    }
  }

  private func lastReaders() -> [ValueID: Int] {
    var last: [ValueID: Int] = [:]
    for (index, node) in graph.nodes.enumerated() {
      for input in node.inputs { last[input] = index }
    }
    for output in graph.outputs { last[output] = graph.nodes.count }
    return last
  }

  /// Before each window that reaches beyond its own rows: the smallest value of those that lead to it
  /// row by row, so that what lies between is computed twice for a few rows.
  private func halos(of chosen: [Int]) -> Set<ValueID> {
    let producers = graph.producers()
    let divided = Set(chosen)
    func leads(to value: ValueID) -> ValueID? {
      guard let index = producers[value], divided.contains(index) else { return nil }
      let node = graph.nodes[index]
      guard !Strips.reachesOut(node, graph: graph) else { return nil }
      let operands = node.inputs.filter { operand in
        producers[operand].map(divided.contains) ?? graph.inputs.contains(operand)
      }
      return operands.count == 1 ? operands[0] : nil
    }
    var halos: Set<ValueID> = []
    for index in chosen where Strips.reachesOut(graph.nodes[index], graph: graph) {
      for operand in graph.nodes[index].inputs
      where producers[operand].map(divided.contains) == true {
        var (best, value) = (operand, operand)
        while let earlier = leads(to: value) {
          if graph[earlier].shape.count < graph[best].shape.count { best = earlier }
          value = earlier
        }
        if producers[best] != nil { halos.insert(best) }
      }
    }
    return halos
  }
}
