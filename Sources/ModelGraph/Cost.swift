import Foundations
import Tensors

extension Graph {
  /// The number of constant elements that a node reads: weights, biases and other constant operands.
  package func parameters(of node: Node) -> Int {
    Set(node.inputs).reduce(0) { $0 + (constants[$1]?.shape.count ?? 0) }
  }

  /// More multiply-adds than this (years of computing) are taken for a mistake in the model.
  static let maximumMultiplyAdds = 1 << 56

  /// Multiplications followed by additions in the products of a node: convolutions, dense layers and
  /// matrix products. Zero for everything else, which is bound by memory and not by arithmetic.
  package func multiplyAdds(of node: Node) -> Int {
    node.operation.facts.multiplyAdds(
      node.inputs.map { self[$0].shape }, result: self[node.output].shape)
  }
}
