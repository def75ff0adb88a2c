import Foundations

extension Graph {
  /// Joins an activation with the convolution or dense layer before it, if that has no other reader.
  func withFusedActivations() throws(MartletError) -> Graph {
    try rewritten { (rewriter, node) in
      guard case .activation(let activation) = node.operation,
        let layer = rewriter.soleDefinition(node.inputs[0]), layer.operation.isPlainProduct
      else { return false }
      var fused = layer
      fused.output = node.output
      switch layer.operation {
      case .convolution(var convolution):
        convolution.activation = activation
        fused.operation = .convolution(convolution)
      case .dense(var dense):
        dense.activation = activation
        fused.operation = .dense(dense)
      default:
        return false
      }
      rewriter.emit(fused)
      return true
    }
  }
}
