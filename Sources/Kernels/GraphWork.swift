import CKernels
package import ModelGraph
package import Tensors

/// What computing a graph takes, told from its structure: nothing is computed, and no element of a
/// constant is looked at.
package struct GraphWork: Sendable {
  /// By node; empty for views and exchanges.
  package let nodes: [[KernelWork]]
  /// The stages into which exchanges cut the graph, as `Program` has them.
  package let stages: [Program.Stage]
  /// Bytes of working memory of one execution, scratch for one thread included.
  package let arenaBytes: Int
  /// Bytes of weights in the forms that the kernels want.
  package let weightBytes: Int

  /// Looks at a graph.
  ///
  /// - Parameters:
  ///   - constants: the values that are known beforehand; the graph's own elements are not needed.
  ///   - storage: how those of them are stored that are not float32.
  /// - Precondition: the graph is one that `Program` would compile.
  package init(
    _ graph: Graph, constants: Set<ValueID>, storage: [ValueID: ElementType] = [:]
  ) {
    let size = MemoryLayout<Float>.stride
    let selection = KernelSelection(graph, constants: constants, storage: storage)
    let kernels = graph.nodes.map { try? selection.kernel(for: $0, graph) }
    var bytes: [ValueID: Int] = [:]
    for (node, kernel) in zip(graph.nodes, kernels) {
      guard let kernel else { continue }
      if let preparation = kernel.preparation {
        bytes[node.inputs[preparation.input]] = preparation.count * size
      }
      if kernel.weightType != .float32 {
        bytes[node.inputs[1]] = StoredTensor.bytes(
          graph[node.inputs[1]].shape, kernel.weightType)
      }
    }
    nodes = zip(graph.nodes, kernels).map { node, kernel in
      kernel.map { $0.work ?? [graph.work(of: node)] } ?? []
    }
    stages = Program.cut(graph)
    arenaBytes =
      ArenaLayout(graph, constants: constants, stages: stages).bytes
      + Program.scratchCount(of: kernels) * size
    let used = Set(graph.nodes.flatMap(\.inputs)).union(graph.outputs).intersection(constants)
    weightBytes = used.reduce(0) { $0 + (bytes[$1] ?? graph[$1].shape.count * size) }
  }

  /// Looks at a whole model: what is neither computed nor an input is constant.
  package init(wholeModel graph: Graph) {
    let computed = Set(graph.nodes.map(\.output)).union(graph.inputs)
    self.init(
      graph, constants: Set(graph.nodes.flatMap(\.inputs) + graph.outputs).subtracting(computed))
  }
}

extension Graph {
  /// The work of a node whose kernel has nothing of its own to say: it reads its operands and writes
  /// its result.
  fileprivate func work(of node: Node) -> KernelWork {
    let output = self[node.output].shape.count
    let elements = node.inputs.reduce(output) { $0 + self[$1].shape.count }
    let kind: KernelKind
    switch node.operation {
    case .activation(let activation): kind = activation.isFunction ? .function : .elementwise
    case .unary(.exponential), .unary(.logarithm), .unary(.errorFunction), .binary(.power),
      .softmax:
      kind = .function
    case .layerNormalization: kind = .normalisation
    case .transpose: kind = .transposition
    case .concatenation, .slice, .pad, .selection, .reshape, .exchange:
      kind = .movement
    default: kind = .elementwise
    }
    return KernelWork(kind, operations: output, bytes: elements * MemoryLayout<Float>.stride)
  }
}

extension Activation {
  /// Whether it takes many instructions for an element.
  var isFunction: Bool {
    switch self {
    case .sigmoid, .tanh, .silu, .gelu, .elu, .selu, .celu, .softplus, .mish: true
    case .relu, .clip, .leakyRelu, .hardSigmoid, .hardSwish, .softsign, .thresholdedRelu: false
    }
  }
}

extension Activation? {
  /// What it adds to a kernel that applies it to its results while they are at hand.
  func work(elements: Int) -> [KernelWork] {
    guard self?.isFunction == true else { return [] }
    return [KernelWork(.function, operations: elements, bytes: 0)]
  }
}

// What the kernels do that have more to do than to read operands and to write a result.

extension ConvolutionKernel {
  var work: [KernelWork]? {
    let pixels = batch * window.outputSize
    let weights = outputChannels * k
    let results = outputChannels * pixels
    // Each block of rows of the window matrix is written and read, and added to the results.
    let columns = groups.count * k * pixels
    let elements =
      window.isPointwise
      ? columns + results
      : 2 * columns + results * max(1, (k + Self.tileRows - 1) / Self.tileRows)
    return [
      KernelWork(
        window.isPointwise ? .pointwise : .convolution, operations: weights * pixels,
        bytes: elements * MemoryLayout<Float>.stride + weights * weightType.size)
    ] + activation.work(elements: results)
  }
}

extension SpreadConvolutionKernel {
  var work: [KernelWork]? {
    let pixels = batch * window.outputSize
    let weights = outputChannels * depth * window.area
    let results = batch * outputChannels * window.inputSize
    // What the cells add is written and read, and added to the results.
    let elements = 2 * outputChannels * window.area * pixels + depth * pixels + 2 * results
    return [
      KernelWork(
        .convolution, operations: weights * pixels,
        bytes: (elements + weights) * MemoryLayout<Float>.stride)
    ] + activation.work(elements: results)
  }
}

extension WinogradKernel {
  var work: [KernelWork]? {
    let tiles = batch * tileRows * tilesAcross
    let points = Int(CK_WINOGRAD_POINTS)
    // Transformed inputs and products are written and read, point by point.
    let elements = points * (2 * tiles * (depth + outputs) + outputs * depth)
    return [
      KernelWork(
        .winograd, operations: tiles * 16 * window.area * depth * outputs,
        bytes: elements * MemoryLayout<Float>.stride)
    ] + activation.work(elements: batch * outputs * window.outputSize)
  }
}

extension DepthwiseKernel {
  var work: [KernelWork]? {
    let planes = batch * sources.count
    return [
      KernelWork(
        .depthwise, operations: planes * window.outputSize * window.area,
        bytes: planes * (window.inputSize + window.outputSize) * MemoryLayout<Float>.stride)
    ] + activation.work(elements: planes * window.outputSize)
  }
}

extension PoolingKernel {
  var work: [KernelWork]? {
    [
      KernelWork(
        .pooling, operations: planes * window.outputSize * window.area,
        bytes: planes * (window.inputSize + window.outputSize) * MemoryLayout<Float>.stride)
    ]
  }
}

extension DenseKernel {
  var work: [KernelWork]? {
    [
      KernelWork(
        rows == 1 ? .dense : .product, operations: rows * inputs * outputs,
        bytes: rows * (inputs + outputs) * MemoryLayout<Float>.stride
          + inputs * outputs * weightType.size)
    ] + activation.work(elements: rows * outputs)
  }
}

extension MatMulKernel {
  var work: [KernelWork]? {
    let count = aIndices.count
    return [
      KernelWork(
        .product, operations: count * m * n * k,
        bytes: count * (m * k + k * n + m * n) * MemoryLayout<Float>.stride)
    ]
  }
}
