import Foundations
import Tensors

extension Graph {
  /// The number of constant elements that a node reads: weights, biases and other constant operands.
  package func parameters(of node: Node) -> Int {
    Set(node.inputs).reduce(0) { $0 + (constants[$1]?.shape.count ?? 0) }
  }

  /// Multiplications followed by additions in the products of a node: convolutions, dense layers and
  /// matrix products. Zero for everything else, which is bound by memory and not by arithmetic.
  package func multiplyAdds(of node: Node) -> Int {
    let output = self[node.output].shape
    switch node.operation {
    case .convolution:
      guard node.inputs.count >= 2, output.rank == 4 else { return 0 }
      // Every output element is a sum over one filter; filters of one group are equally long.
      let weights = self[node.inputs[1]].shape
      return output.count * weights.innerCount(after: 0)
    case .dense, .matMul:
      guard let first = node.inputs.first else { return 0 }
      return output.count * (self[first].shape.dimensions.last ?? 0)
    default:
      return 0
    }
  }
}
