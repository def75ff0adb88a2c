import CKernels
import ModelGraph
import Tensors

/// Chooses kernels for the nodes of one graph.
struct KernelSelection {
  /// Constants that exactly one operand of one node refers to: a kernel may rewrite those.
  private let soleOperands: Set<ValueID>

  init(_ graph: borrowing Graph, constants: Set<ValueID>) {
    var uses: [ValueID: Int] = [:]
    for node in graph.nodes { for id in node.inputs { uses[id, default: 0] += 1 } }
    for id in graph.outputs { uses[id, default: 0] += 1 }
    soleOperands = Set(uses.filter { $0.value == 1 }.keys).intersection(constants)
  }

  /// The kernel for a checked node; nil when nothing has to be computed: views, exchanges and empty
  /// results.
  func kernel(for node: Node, _ graph: borrowing Graph) -> (any Kernel)? {
    let inputs = node.inputs.map { graph[$0].shape }
    let output = graph[node.output].shape
    guard output.count > 0 else { return nil }
    switch node.operation {
    case .exchange, .reshape: return nil
    case .convolution(let convolution):
      return makeKernel(
        convolution, inputs, output, ownsWeights: soleOperands.contains(node.inputs[1]))
    case .dense(let dense):
      let k = inputs[1][1]
      return DenseKernel(
        rows: output.count / inputs[1][0], inputs: k, outputs: inputs[1][0],
        hasBias: inputs.count > 2, activation: dense.activation)
    case .matMul: return MatMulKernel(inputs[0], inputs[1], output: output)
    case .pooling(let pooling): return makeKernel(pooling, inputs[0], output)
    case .activation(let activation):
      return ActivationKernel(count: output.count, activation: activation)
    case .unary(let function): return UnaryKernel(count: output.count, function: function)
    case .binary(let function):
      return BinaryKernel(inputs[0], inputs[1], output: output, function: function)
    case .channelAffine:
      return ChannelAffineKernel(
        planes: output[0] * output[1], channels: output[1],
        planeSize: output.innerCount(after: 1))
    case .layerNormalization(let norm):
      let first = norm.axes[0]
      let last = norm.axes[norm.axes.count - 1]
      return LayerNormalizationKernel(
        outer: output.outerCount(before: first),
        count: norm.axes.reduce(1) { $0 * output[$1] }, inner: output.innerCount(after: last),
        operandCount: inputs.count, epsilon: norm.epsilon)
    case .softmax(let axis, let logarithmic):
      return SoftmaxKernel(
        outer: output.outerCount(before: axis), count: output[axis],
        inner: output.innerCount(after: axis), logarithmic: logarithmic)
    case .concatenation(let axis):
      return ConcatenationKernel(
        outer: output.outerCount(before: axis),
        runs: inputs.map { $0[axis] * output.innerCount(after: axis) })
    case .transpose(let permutation): return CopyKernel.transpose(inputs[0], permutation)
    case .slice(let ranges): return CopyKernel.slice(inputs[0], ranges)
    case .pad(let before, let after, let value):
      return PadKernel(inputs[0], before: before, after: after, value: value, output: output)
    case .reduction(let reduction): return ReductionKernel(inputs[0], reduction, output: output)
    case .combination(let combination):
      return CombinationKernel(
        outer: output.outerCount(before: combination.axis), extent: inputs[0][combination.axis],
        inner: output.innerCount(after: combination.axis), rows: combination.rows)
    case .selection(let axis, let indices):
      return SelectionKernel(
        outer: output.outerCount(before: axis), extent: inputs[0][axis],
        inner: output.innerCount(after: axis), indices: indices)
    }
  }
}

private func makeKernel(
  _ convolution: Convolution, _ inputs: [Shape], _ output: Shape, ownsWeights: Bool
) -> any Kernel {
  let window = ck_window(
    inputs[0], output, kernel: convolution.kernel, strides: convolution.strides,
    dilations: convolution.dilations, padding: convolution.padding)
  let depth = inputs[1][1]
  let counts =
    convolution.groupOutputs
    ?? [Int](repeating: output[1] / convolution.groups, count: convolution.groups)
  if depth == 1, convolution.groups > 1 {
    return DepthwiseKernel(
      batch: output[0], inputChannels: inputs[0][1],
      sources: counts.enumerated().flatMap { [Int](repeating: $0, count: $1) }, window: window,
      hasBias: inputs.count > 2, activation: convolution.activation)
  }
  if ownsWeights, WinogradKernel.suits(convolution, depth: depth, output: output) {
    return WinogradKernel(
      batch: output[0], depth: depth, outputs: output[1], window: window,
      hasBias: inputs.count > 2, activation: convolution.activation)
  }
  var groups: [ConvolutionKernel.Group] = []
  var first = 0
  for (group, count) in counts.enumerated() {
    if count > 0 { groups.append(.init(firstInput: group * depth, outputs: first..<first + count)) }
    first += count
  }
  return ConvolutionKernel(
    batch: output[0], groups: groups, depth: depth, inputChannels: inputs[0][1],
    outputChannels: output[1], window: window, hasBias: inputs.count > 2,
    activation: convolution.activation)
}

private func makeKernel(_ pooling: Pooling, _ x: Shape, _ output: Shape) -> any Kernel {
  let padding = pooling.padding
  if output[2] == 1, output[3] == 1, pooling.kernel == Pair(x[2], x[3]),
    pooling.dilations == Pair(1, 1), padding == Padding()
  {
    return ReductionKernel(
      x, Reduction(kind: pooling.kind == .maximum ? .maximum : .mean, axes: [2, 3]),
      output: output)
  }
  return PoolingKernel(
    planes: output[0] * output[1], pooling,
    window: ck_window(
      x, output, kernel: pooling.kernel, strides: pooling.strides,
      dilations: pooling.dilations, padding: padding))
}
