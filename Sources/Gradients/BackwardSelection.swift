import Foundations
import Kernels
import ModelGraph
import Tensors

/// The backward kernel of a checked node.
///
/// - Throws: `unsupported` for an operation that none is known for.
func makeBackwardKernel(
  for node: Node, _ graph: Graph
) throws(MartletError) -> any BackwardKernel {
  let inputs = node.inputs.map { graph[$0].shape }
  let output = graph[node.output].shape
  switch node.operation {
  case .convolution(let convolution):
    if let spread = convolution.spread {
      return SpreadConvolutionBackward(convolution, spread: spread, inputs, output)
    }
    if inputs[1][1] == 1, convolution.groups > 1 {
      return DepthwiseBackward(convolution, inputs, output)
    }
    return ConvolutionBackward(convolution, inputs, output)
  case .dense(let dense): return DenseBackward(inputs, output, dense.activation)
  case .matMul: return MatMulBackward(inputs[0], inputs[1], output)
  case .pooling(let pooling):
    return pooling.kind == .maximum
      ? MaximumPoolingBackward(pooling, inputs[0], output)
      : AveragePoolingBackward(pooling, inputs[0], output)
  case .activation(let activation):
    return ActivationBackward(count: output.count, activation: activation)
  case .unary(let function): return UnaryBackward(count: output.count, function: function.c)
  case .binary(let function): return BinaryBackward(inputs[0], inputs[1], output, function)
  case .channelAffine:
    return ChannelAffineBackward(
      batch: output[0], channels: output[1], planeSize: output.innerCount(after: 1))
  case .layerNormalization(let norm): return LayerNormalizationBackward(norm, output)
  case .softmax(let axis, let logarithmic):
    return SoftmaxBackward(
      outer: output.outerCount(before: axis), count: output[axis],
      inner: output.innerCount(after: axis), logarithmic: logarithmic)
  case .concatenation(let axis):
    return ConcatenationBackward(
      outer: output.outerCount(before: axis),
      runs: inputs.map { $0[axis] * output.innerCount(after: axis) })
  case .transpose(let permutation): return StridedBackward.transpose(inputs[0], permutation)
  case .reshape: return StridedBackward.reshape(output)
  case .slice(let ranges): return StridedBackward.slice(inputs[0], ranges)
  case .pad(let before, let after, _):
    return StridedBackward.pad(inputs[0], before: before, after: after, output: output)
  case .reduction(let reduction): return ReductionBackward(inputs[0], reduction)
  case .selection(let axis, let indices):
    return SelectionBackward(
      outer: output.outerCount(before: axis), extent: inputs[0][axis],
      inner: output.innerCount(after: axis), indices: indices)
  default:
    throw MartletError(
      .unsupported, "there is no gradient through this operation",
      context: ["node": node.name, "operation": node.operation.kindName])
  }
}

extension ModelGraph.Operation {
  /// Which values of the forward run the backward kernel reads.
  var backwardNeeds: BackwardNeeds {
    switch self {
    case .convolution(let convolution):
      BackwardNeeds(inputs: [0, 1], output: convolution.activation != nil)
    case .dense(let dense): BackwardNeeds(inputs: [0, 1], output: dense.activation != nil)
    case .matMul: BackwardNeeds(inputs: [0, 1])
    case .pooling(let pooling):
      pooling.kind == .maximum ? BackwardNeeds(inputs: [0]) : BackwardNeeds()
    case .activation: BackwardNeeds(inputs: [0])
    case .unary: BackwardNeeds(inputs: [0], output: true)
    case .binary(.add), .binary(.subtract): BackwardNeeds()
    case .binary: BackwardNeeds(inputs: [0, 1])
    case .channelAffine, .layerNormalization: BackwardNeeds(inputs: [0, 1])
    case .softmax: BackwardNeeds(output: true)
    case .reduction(let reduction):
      switch reduction.kind {
      case .mean, .sum: BackwardNeeds()
      case .maximum, .minimum: BackwardNeeds(inputs: [0], output: true)
      case .product: BackwardNeeds(inputs: [0])
      }
    default: BackwardNeeds()
    }
  }
}
