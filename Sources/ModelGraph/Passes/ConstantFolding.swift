import Foundations
import Tensors

extension Graph {
  /// Computes nodes whose operands are all constants, unless the result would be much larger than
  /// the operands.
  func withFoldedConstants() throws(MartletError) -> Graph {
    try rewritten { (rewriter, node) throws(MartletError) in
      let operands = node.inputs.compactMap { rewriter.constant($0) }
      let shape = rewriter.shape(node.output)
      guard operands.count == node.inputs.count,
        shape.count <= max(1 << 16, operands.reduce(0) { $0 + $1.shape.count }),
        let tensor = try node.operation.facts.folded(operands, shape: shape)
      else { return false }
      rewriter.fix(node.output, to: tensor)
      return true
    }
  }
}
