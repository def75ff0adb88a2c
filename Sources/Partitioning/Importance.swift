public import ModelGraph
public import Plan
import TensorCore

/// How much a neuron matters.
public enum Importance {
  /// The l1 norm of each neuron's weights plus the absolute value of its bias (score s1 of
  /// RobustDiCE, section 4.2), summed over the layer's weighted nodes.
  ///
  /// - Returns: one non-negative score per neuron of the layer.
  public static func l1(of layer: Sharding.Layer, graph: Graph) -> [Double] {
    var scores = [Double](repeating: 0, count: layer.neurons)
    for node in layer.weightedNodes.map({ graph.nodes[$0] }) {
      for input in node.inputs.dropFirst() {
        guard let values = graph.constants[input]?.floats, values.count % layer.neurons == 0
        else { continue }
        let row = values.count / layer.neurons
        for neuron in scores.indices {
          scores[neuron] += values[(neuron * row)..<((neuron + 1) * row)]
            .reduce(0) { $0 + Double(abs($1)) }
        }
      }
    }
    return scores
  }
}
