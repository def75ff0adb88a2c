import Foundations
import Tensors

extension Graph {
  /// Takes the scale and shift of a layer normalisation over channels into the weights and bias of the
  /// convolution or dense layer that alone reads it: W (g * n + h) = (W g) n + W h. In a plan every
  /// device would hold them, and they cost time.
  func withFoldedNormalisationScales() throws(MartletError) -> Graph {
    try rewritten { (rewriter, node) throws(MartletError) in
      guard node.inputs.count > 1, let norm = rewriter.soleDefinition(node.inputs[0]),
        let map = rewriter.scaleAndShift(norm, readBy: node),
        let weights = rewriter.constant(node.inputs[1])?.floats
      else { return false }
      let shape = rewriter.shape(node.inputs[1])
      var bias = [Float](repeating: 0, count: shape[0])
      if node.inputs.count > 2 {
        guard let given = rewriter.constant(node.inputs[2])?.floats else { return false }
        bias = given
      }
      let window = shape.innerCount(after: 1)
      var scaled = weights
      for output in 0..<shape[0] {
        var sum = 0.0
        for channel in 0..<shape[1] {
          let first = (output * shape[1] + channel) * window
          for index in first..<first + window {
            sum += Double(weights[index]) * Double(map.shift[channel])
            scaled[index] *= map.scale[channel]
          }
        }
        bias[output] += Float(sum)
      }
      let plain = try rewriter.add(norm.operation, [norm.inputs[0]], name: norm.name)
      rewriter.emit(
        node.replacing(
          node.operation,
          inputs: [
            plain, rewriter.add(constant: Tensor(shape, scaled), name: "\(node.name).weights"),
            rewriter.add(constant: Tensor([bias.count], bias), name: "\(node.name).bias"),
          ]))
      return true
    }
  }
}

extension Rewriter {
  /// Scale and shift of a normalisation over the channels that a product mixes; nil where they cannot
  /// be taken into it.
  fileprivate func scaleAndShift(
    _ norm: Node, readBy product: Node
  ) -> (scale: [Float], shift: [Float])? {
    guard case .layerNormalization(let attributes) = norm.operation, norm.inputs.count > 1,
      let scale = constant(norm.inputs[1])?.floats
    else { return nil }
    let shift = norm.inputs.count > 2 ? constant(norm.inputs[2])?.floats : nil
    guard norm.inputs.count < 3 || shift != nil else { return nil }
    let axis: Int
    switch product.operation {
    case .convolution(let convolution):
      // At a padded border, and between the cells of a spread operand, the product sees 0, not the
      // shift.
      let isShifted = shift?.contains(where: { $0 != 0 }) ?? false
      let isWhole = convolution.padding == Padding() && convolution.spread == nil
      guard convolution.groups == 1, isWhole || !isShifted else { return nil }
      axis = 1
    case .dense: axis = shape(norm.output).rank - 1
    default: return nil
    }
    let channels = shape(norm.output)[axis]
    guard attributes.axes == [axis], scale.count == channels,
      shape(product.inputs[1])[1] == channels, shift?.count ?? channels == channels
    else { return nil }
    return (scale, shift ?? [Float](repeating: 0, count: channels))
  }
}
