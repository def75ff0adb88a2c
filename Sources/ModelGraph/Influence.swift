// What depends on what in a graph.

import Foundations
import Tensors

extension Graph {
  /// The values that depend on any of some values, these included.
  package func values(reachedFrom roots: some Sequence<ValueID>) -> Set<ValueID> {
    var reached = Set(roots)
    for node in nodes where node.inputs.contains(where: reached.contains) {
      reached.insert(node.output)
    }
    return reached
  }

  /// What remains to be computed when one value is changed: the nodes that depend on it. Its first
  /// input is that value; the others are the values that these nodes read besides and that do not
  /// depend on it. Numbers stay; nil when no output depends on the value.
  package func suffix(from value: ValueID) -> Graph? {
    let reached = values(reachedFrom: [value])
    guard outputs.contains(where: reached.contains) else { return nil }
    var graph = self
    graph.outputs = outputs.filter(reached.contains)
    graph.nodes = nodes.filter { reached.contains($0.output) && $0.output != value }
    graph.removeUnread()
    let read = Set(graph.nodes.flatMap(\.inputs))
    graph.constants = constants.filter { read.contains($0.key) }
    graph.inputs =
      [value]
      + read.subtracting(reached).subtracting(graph.constants.keys).sorted()
    return graph
  }

  /// The part of the graph between two values, as a function of the first.
  ///
  /// - Precondition: it depends on nothing else but constants.
  package func part(from source: ValueID, to target: ValueID) -> Graph {
    let reached = values(reachedFrom: [source])
    var graph = self
    graph.inputs = [source]
    graph.outputs = [target]
    graph.nodes = nodes.filter { reached.contains($0.output) && $0.output != source }
    graph.removeUnread()
    let read = Set(graph.nodes.flatMap(\.inputs))
    graph.constants = constants.filter { read.contains($0.key) }
    return graph
  }

  /// Removes nodes whose results lead to no output.
  private mutating func removeUnread() {
    var wanted = Set(outputs)
    var kept: [Node] = []
    for node in nodes.reversed() where wanted.contains(node.output) {
      wanted.formUnion(node.inputs)
      kept.append(node)
    }
    nodes = kept.reversed()
  }

  /// The graph with the first output alone, and without a softmax at its end: whose output are
  /// logits (or, after a logarithmic softmax, something that softmax maps to the same probabilities).
  package func endingInLogits() -> Graph {
    var graph = self
    guard let output = outputs.first else { return graph }
    let producers = producers()
    var end = output
    while let index = producers[end], case .reshape = nodes[index].operation {
      end = nodes[index].inputs[0]
    }
    if let index = producers[end], case .softmax(let axis, _) = nodes[index].operation,
      self[end].shape.innerCount(after: axis) == 1
    {
      graph.outputs = [nodes[index].inputs[0]]
    } else {
      graph.outputs = [output]
    }
    graph.removeUnread()
    return graph
  }
}
