import Foundations
import Tensors

extension Graph {
  /// Takes a scale and a shift per output channel that follow a convolution or dense layer into its
  /// weights and bias: batch normalisation, layer scales, separate biases.
  func withFoldedScales() throws(MartletError) -> Graph {
    try rewritten { (rewriter, node) in
      for position in node.inputs.indices.prefix(2) {
        guard let layer = rewriter.soleDefinition(node.inputs[position]),
          layer.operation.isPlainProduct, let weights = rewriter.constant(layer.inputs[1])?.floats,
          let map = rewriter.channelMap(node, operand: position, of: layer)
        else { continue }
        let shape = rewriter.shape(layer.inputs[1])
        var bias = [Float](repeating: 0, count: shape[0])
        if layer.inputs.count > 2 {
          guard let given = rewriter.constant(layer.inputs[2])?.floats else { continue }
          bias = given
        }
        var inputs = layer.inputs
        if let scale = map.scale {
          let length = shape.innerCount(after: 0)
          var scaled = weights
          for channel in 0..<shape[0] {
            for index in channel * length..<(channel + 1) * length {
              scaled[index] *= scale[channel]
            }
            bias[channel] *= scale[channel]
          }
          inputs[1] = rewriter.add(constant: Tensor(shape, scaled), name: "\(layer.name).weights")
        }
        if let shift = map.shift {
          for channel in bias.indices { bias[channel] += shift[channel] }
        }
        if inputs.count > 2 || map.shift != nil {
          inputs = Array(inputs.prefix(2))
          inputs.append(
            rewriter.add(constant: Tensor([bias.count], bias), name: "\(layer.name).bias"))
        }
        rewriter.emit(
          Node(
            name: layer.name, operation: layer.operation, inputs: inputs, output: node.output))
        return true
      }
      return false
    }
  }
}

extension Operation {
  /// A convolution or dense layer without an activation of its own.
  var isPlainProduct: Bool {
    switch self {
    case .convolution(let convolution): convolution.activation == nil
    case .dense(let dense): dense.activation == nil
    default: false
    }
  }
}

extension Rewriter {
  /// What a node does to each output channel of the layer before it, if it is y = x * scale + shift.
  fileprivate func channelMap(
    _ node: Node, operand: Int, of layer: Node
  ) -> (scale: [Float]?, shift: [Float]?)? {
    let shape = shape(layer.output)
    let axis = if case .convolution = layer.operation { 1 } else { shape.rank - 1 }
    if case .channelAffine = node.operation {
      guard operand == 0, axis == 1, let scale = constant(node.inputs[1])?.floats,
        let shift = constant(node.inputs[2])?.floats
      else { return nil }
      return (scale, shift)
    }
    guard case .binary(let function) = node.operation, self.shape(node.output) == shape,
      let tensor = constant(node.inputs[1 - operand]),
      let numbers = tensor.perChannel(axis: axis, of: shape)
    else { return nil }
    switch function {
    case .multiply: return (numbers, nil)
    case .add: return (nil, numbers)
    case .divide where operand == 0 && !numbers.contains(0): return (numbers.map { 1 / $0 }, nil)
    case .subtract where operand == 0: return (nil, numbers.map { -$0 })
    default: return nil
    }
  }
}

extension Tensor {
  /// One number for each index of an axis of `shape`, if this tensor varies along no other axis.
  func perChannel(axis: Int, of shape: Shape) -> [Float]? {
    guard let floats, self.shape.rank <= shape.rank else { return nil }
    let position = axis - (shape.rank - self.shape.rank)
    for index in self.shape.dimensions.indices where index != position && self.shape[index] != 1 {
      return nil
    }
    if floats.count == shape[axis] { return floats }
    return floats.count == 1 ? [Float](repeating: floats[0], count: shape[axis]) : nil
  }
}
