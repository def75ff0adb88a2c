// Taking fused activations out of layers again.

extension Graph {
  /// The same function with some activations as nodes of their own, after the layers that they were
  /// fused with. Existing values and nodes keep their numbers and names; a layer's result is then a
  /// new value, and the activated value the old one.
  ///
  /// - Parameter isApart: which activations.
  package func separatingActivations(where isApart: (Activation) -> Bool) -> Graph {
    var graph = self
    graph.nodes = []
    for node in nodes {
      guard let activation = node.operation.fusedActivation, isApart(activation) else {
        graph.nodes.append(node)
        continue
      }
      let sum = graph.add(
        Value(name: node.name + "/before-activation", shape: self[node.output].shape))
      var product = node
      product.operation = node.operation.withoutActivation
      product.output = sum
      graph.nodes.append(product)
      graph.nodes.append(
        Node(
          name: node.name + "/activation", operation: .activation(activation), inputs: [sum],
          output: node.output))
    }
    return graph
  }
}

extension Operation {
  /// The activation of a convolution or dense layer.
  package var fusedActivation: Activation? {
    switch self {
    case .convolution(let convolution): convolution.activation
    case .dense(let dense): dense.activation
    default: nil
    }
  }

  fileprivate var withoutActivation: Operation {
    switch self {
    case .convolution(var convolution):
      convolution.activation = nil
      return .convolution(convolution)
    case .dense: return .dense(Dense())
    default: return self
    }
  }
}
