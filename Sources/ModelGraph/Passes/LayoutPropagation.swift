import Foundations
import Tensors

extension Graph {
  /// Moves transposes towards the outputs, through everything that can work on the other layout, so
  /// that they meet their inverses and vanish.
  ///
  /// f(T(x)) becomes T(g(x)), where g is f with its axes renamed. A dense layer over the last axis of
  /// an image whose channels were moved there becomes a 1x1 convolution. The result is only kept
  /// when transposes move no more elements than before.
  func withPropagatedLayout() throws(MartletError) -> Graph {
    let moved = try rewritten { (rewriter, node) throws(MartletError) in
      try rewriter.pull(node)
    }.simplified()
    return moved.transposedElements <= transposedElements ? moved : self
  }

  private var transposedElements: Int {
    nodes.reduce(0) { sum, node in
      if case .transpose = node.operation { return sum + self[node.output].shape.count }
      return sum
    }
  }
}

/// An operation on the untransposed operands, and the transpose that its result then needs.
private struct Pulled {
  var operation: Operation
  var inputs: [ValueID]
  var permutation: [Int]
}

extension Rewriter {
  fileprivate mutating func pull(_ node: Node) throws(MartletError) -> Bool {
    guard let pulled = try pulled(node) else { return false }
    let isMoved = pulled.permutation != Array(pulled.permutation.indices)
    let target = shape(node.output)
    var extents = target.dimensions
    for (axis, source) in pulled.permutation.enumerated() { extents[source] = target[axis] }
    let result = try add(
      pulled.operation, pulled.inputs, name: node.name, shape: Shape(extents))
    if isMoved {
      emit(
        Node(
          name: "\(node.name).layout", operation: .transpose(permutation: pulled.permutation),
          inputs: [result], output: node.output))
    } else {
      alias(node.output, to: result)
    }
    return true
  }

  private func transpose(_ id: ValueID) -> (source: ValueID, permutation: [Int])? {
    guard let node = definition(id), case .transpose(let permutation) = node.operation else {
      return nil
    }
    return (node.inputs[0], permutation)
  }

  private mutating func pulled(_ node: Node) throws(MartletError) -> Pulled? {
    if case .binary = node.operation { return try pulledBinary(node) }
    guard let (x, permutation) = transpose(node.inputs[0]) else { return nil }
    func same(_ operation: Operation) -> Pulled {
      Pulled(operation: operation, inputs: [x], permutation: permutation)
    }
    switch node.operation {
    case .activation, .unary:
      return same(node.operation)
    case .softmax(let axis, let logarithmic):
      return same(.softmax(axis: permutation[axis], logarithmic: logarithmic))
    case .selection(let axis, let indices):
      return same(.selection(axis: permutation[axis], indices: indices))
    case .slice(let ranges):
      return same(.slice(permutation.unpermute(ranges)))
    case .pad(let before, let after, let value):
      return same(
        .pad(
          before: permutation.unpermute(before), after: permutation.unpermute(after), value: value))
    case .channelAffine:
      guard permutation[1] == 1 else { return nil }
      return Pulled(
        operation: .channelAffine, inputs: [x] + node.inputs.dropFirst(), permutation: permutation)
    case .concatenation(let axis):
      var sources: [ValueID] = []
      for id in node.inputs {
        guard let other = transpose(id), other.permutation == permutation else { return nil }
        sources.append(other.source)
      }
      return Pulled(
        operation: .concatenation(axis: permutation[axis]), inputs: sources,
        permutation: permutation)
    case .reduction(let reduction):
      return pulledReduction(node, reduction, x, permutation)
    case .layerNormalization(let normalisation):
      // One axis only: kernels normalise the last axes, or the channels of an image.
      guard normalisation.axes.count == 1 else { return nil }
      let axis = permutation[normalisation.axes[0]]
      guard axis == 1 || axis == permutation.count - 1 else { return nil }
      return Pulled(
        operation: .layerNormalization(
          LayerNormalization(axes: [axis], epsilon: normalisation.epsilon)),
        inputs: [x] + node.inputs.dropFirst(), permutation: permutation)
    case .dense(let dense):
      return pulledDense(node, dense, x, permutation)
    default:
      return nil
    }
  }

  private mutating func pulledDense(
    _ node: Node, _ dense: Dense, _ x: ValueID, _ permutation: [Int]
  ) -> Pulled? {
    guard permutation.count == 4, permutation[0] == 0, permutation[3] == 1,
      let weights = constant(node.inputs[1])
    else { return nil }
    let filters = weights.reshaped(Shape(weights.shape.dimensions + [1, 1]))
    let id = add(constant: filters, name: "\(node.name).filters")
    return Pulled(
      operation: .convolution(Convolution(kernel: Pair(1, 1), activation: dense.activation)),
      inputs: [x, id] + node.inputs.dropFirst(2), permutation: permutation)
  }

  private func pulledReduction(
    _ node: Node, _ reduction: Reduction, _ x: ValueID, _ permutation: [Int]
  ) -> Pulled? {
    let axes = reduction.axes.map { permutation[$0] }.sorted()
    let operation = Operation.reduction(Reduction(kind: reduction.kind, axes: axes))
    guard shape(node.output).rank != permutation.count else {
      return Pulled(operation: operation, inputs: [x], permutation: permutation)
    }
    let kept = permutation.indices.filter { !reduction.axes.contains($0) }.map { permutation[$0] }
    let order = kept.sorted()
    return Pulled(
      operation: operation, inputs: [x],
      permutation: kept.compactMap { order.firstIndex(of: $0) })
  }

  /// Both operands transposed alike, or one of them and a constant that is transposed now.
  private mutating func pulledBinary(_ node: Node) throws(MartletError) -> Pulled? {
    guard let permutation = (transpose(node.inputs[0]) ?? transpose(node.inputs[1]))?.permutation,
      shape(node.output).rank == permutation.count
    else { return nil }
    var inputs: [ValueID] = []
    for id in node.inputs {
      if let other = transpose(id) {
        guard other.permutation == permutation else { return nil }
        inputs.append(other.source)
      } else if let tensor = constant(id), tensor.floats != nil {
        let lead = [Int](repeating: 1, count: permutation.count - tensor.shape.rank)
        let aligned = tensor.reshaped(Shape(lead + tensor.shape.dimensions))
        let inverse = Array(permutation.indices).map { axis in
          permutation.firstIndex(of: axis) ?? axis
        }
        let target = Shape(inverse.map { aligned.shape[$0] })
        guard
          let turned = try Transposition(permutation: inverse).folded(
            [aligned], shape: target)
        else { return nil }
        inputs.append(add(constant: turned, name: "\(graph[id].name).turned"))
      } else {
        return nil
      }
    }
    return Pulled(operation: node.operation, inputs: inputs, permutation: permutation)
  }
}

extension [Int] {
  /// Per-axis facts of a transposed value as those of its source.
  fileprivate func unpermute<Fact>(_ facts: [Fact]) -> [Fact] {
    var result = facts
    for (axis, source) in enumerated() { result[source] = facts[axis] }
    return result
  }
}
