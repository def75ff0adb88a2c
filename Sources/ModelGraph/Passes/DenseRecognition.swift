import Foundations
import Tensors

extension Graph {
  /// Turns products with a constant matrix into dense layers.
  func withRecognisedDenseLayers() throws(MartletError) -> Graph {
    var transposed: [ValueID: ValueID] = [:]
    return try rewritten { (rewriter, node) throws(MartletError) in
      guard case .matMul = node.operation, let matrix = rewriter.constant(node.inputs[1]),
        matrix.shape.rank == 2
      else { return false }
      let flip = Transposition(permutation: [1, 0])
      if transposed[node.inputs[1]] == nil,
        let weights = try flip.folded([matrix], shape: [matrix.shape[1], matrix.shape[0]])
      {
        transposed[node.inputs[1]] = rewriter.add(
          constant: weights, name: "\(rewriter.graph[node.inputs[1]].name).transposed")
      }
      guard let weights = transposed[node.inputs[1]] else { return false }
      rewriter.emit(node.replacing(.dense(Dense()), inputs: [node.inputs[0], weights]))
      return true
    }
  }
}
