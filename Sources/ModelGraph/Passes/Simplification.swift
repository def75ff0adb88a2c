import Foundations
import Tensors

extension Graph {
  /// Removes nodes that change nothing, joins reshapes with reshapes and transposes with transposes,
  /// and turns transposes that move only axes of extent 1 into reshapes.
  func simplified() throws(MartletError) -> Graph {
    try rewritten { (rewriter, node) in
      guard let x = node.inputs.first else { return false }
      let shape = rewriter.shape(x)
      if rewriter.shape(node.output) == shape, node.operation.facts.isIdentity(on: shape) {
        rewriter.alias(node.output, to: x)
        return true
      }
      let before = rewriter.definition(x)
      switch (node.operation, before?.operation) {
      case (.reshape, .reshape):
        guard let source = before?.inputs.first else { return false }
        if rewriter.shape(source) == rewriter.shape(node.output) {
          rewriter.alias(node.output, to: source)
        } else {
          rewriter.emit(node.replacing(.reshape, inputs: [source]))
        }
        return true
      case (.transpose(let outer), .transpose(let inner)):
        guard let source = before?.inputs.first else { return false }
        let composed = outer.map { inner[$0] }
        if composed == Array(composed.indices) {
          rewriter.alias(node.output, to: source)
        } else {
          rewriter.emit(node.replacing(.transpose(permutation: composed), inputs: [source]))
        }
        return true
      case (.transpose(let permutation), _):
        let moved = permutation.filter { shape[$0] != 1 }
        guard moved == moved.sorted() else { return false }
        rewriter.emit(node.replacing(.reshape, inputs: [x]))
        return true
      default:
        return false
      }
    }
  }
}

extension Node {
  /// The same result, computed otherwise.
  func replacing(_ operation: Operation, inputs: [ValueID]) -> Node {
    Node(name: name, operation: operation, inputs: inputs, output: output)
  }
}
