import Foundations
package import ModelGraph
package import Plan
import Tensors

/// How much a neuron matters: what needs nothing but the model.
package enum Importance {
  /// The nodes whose output channels or units are neurons: convolutions, depthwise ones among them,
  /// and dense layers with weights of their own, by position in `Graph.nodes`.
  package static func weightedNodes(of graph: Graph) -> [Int] {
    graph.nodes.indices.filter { neurons(of: graph.nodes[$0], graph: graph) > 0 }
  }

  /// How many neurons a node has; 0 if it has no weights of its own.
  package static func neurons(of node: Node, graph: Graph) -> Int {
    switch node.operation {
    case .convolution, .dense:
      guard graph.constants[node.inputs[1]] != nil else { return 0 }
      return graph[node.inputs[1]].shape[0]
    default: return 0
    }
  }

  /// The l1 norm of each neuron's weights plus the absolute value of its bias: score s1 of
  /// RobustDiCE, section 4.2.
  ///
  /// - Returns: one non-negative score per neuron of the node.
  package static func l1(of node: Node, graph: Graph) -> [Double] {
    let count = neurons(of: node, graph: graph)
    var scores = [Double](repeating: 0, count: count)
    for input in node.inputs.dropFirst() {
      guard let values = graph.constants[input]?.floats, count > 0, values.count % count == 0
      else { continue }
      let row = values.count / count
      for neuron in scores.indices {
        scores[neuron] += values[(neuron * row)..<((neuron + 1) * row)]
          .reduce(0) { $0 + Double(abs($1)) }
      }
    }
    return scores
  }

  /// The sum of `l1` over the layer's weighted nodes.
  ///
  /// - Returns: one non-negative score per neuron of the layer.
  package static func l1(of layer: Sharding.Layer, graph: Graph) -> [Double] {
    var scores = [Double](repeating: 0, count: layer.neurons)
    for node in layer.weightedNodes {
      for (neuron, score) in l1(of: graph.nodes[node], graph: graph).enumerated() {
        scores[neuron] += score
      }
    }
    return scores
  }
}
