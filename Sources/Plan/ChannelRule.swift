package import ModelGraph
package import Tensors

/// What an operator does to the channels of its first operand, which is all that sharding needs to
/// know about it.
package enum ChannelRule {
  /// Mixes channels through a kernel: full operand in, `count` new neurons out along `axis`.
  case weighted(count: Int, axis: Int)
  /// Keeps channels apart where the map gives an output axis for the operand's sharded axis.
  case local((Int) -> Int?)
  /// Combines operands element by element.
  case elementwise
  /// Needs everything.
  case mixing

  package init(node: Node, graph: Graph) {
    let shapes = node.inputs.map { graph[$0].shape }
    let output = graph[node.output].shape
    switch node.operation {
    case .convolution:
      self =
        node.isDepthwise(graph)
        ? .local { $0 == 1 ? 1 : nil } : .weighted(count: output[1], axis: 1)
    case .dense:
      self = .weighted(count: output[output.rank - 1], axis: output.rank - 1)
    case .pooling, .channelAffine:
      self = .local { $0 == 1 ? 1 : nil }
    case .activation, .unary:
      self = .local { $0 }
    case .binary:
      self = .elementwise
    case .layerNormalization(let attributes):
      self = .local { attributes.axes.contains($0) ? nil : $0 }
    case .softmax(let axis, _):
      self = .local { $0 == axis ? nil : $0 }
    case .transpose(let permutation):
      self = .local { permutation.firstIndex(of: $0) }
    case .reshape:
      self = .local { shapes[0].axis($0, carriedTo: output) }
    case .slice(let ranges):
      self = .local { axis in
        let whole = SliceRange(start: 0, step: 1, count: shapes[0][axis])
        return ranges[axis] == whole ? axis : nil
      }
    case .pad(let before, let after, _):
      self = .local { before[$0] == 0 && after[$0] == 0 ? $0 : nil }
    case .reduction(let attributes):
      self = .local { axis in
        guard !attributes.axes.contains(axis) else { return nil }
        guard output.rank != shapes[0].rank else { return axis }
        return axis - attributes.axes.count { $0 < axis }
      }
    case .selection(let axis, _):
      self = .local { $0 == axis ? nil : $0 }
    case .matMul, .concatenation, .exchange, .combination:
      self = .mixing
    }
  }
}

extension Node {
  /// Whether all outputs of a weighted node read the same inputs.
  var isUngrouped: Bool {
    guard case .convolution(let attributes) = operation else { return true }
    return attributes.groups == 1
  }

  /// Whether this is a convolution in which each output channel reads the one input channel of the
  /// same number.
  func isDepthwise(_ graph: Graph) -> Bool {
    guard case .convolution(let attributes) = operation else { return false }
    let channels = graph[inputs[0]].shape[1]
    return attributes.groups == channels && graph[output].shape[1] == channels && channels > 1
      && attributes.groupOutputs == nil
  }
}

extension Shape {
  /// The axis of `target` that still holds exactly what `axis` holds here after a row-major reshape.
  func axis(_ axis: Int, carriedTo target: Shape) -> Int? {
    let outer = outerCount(before: axis)
    return target.dimensions.indices.first {
      target[$0] == self[axis] && target.outerCount(before: $0) == outer
    }
  }

  /// The axis of `target` into which `axis` is merged with everything that follows it up to some
  /// later axis, and how many elements each index becomes.
  package func axis(_ axis: Int, mergedInto target: Shape) -> (axis: Int, factor: Int)? {
    let outer = outerCount(before: axis)
    for candidate in target.dimensions.indices
    where target.outerCount(before: candidate) == outer && self[axis] > 0
      && target[candidate] % self[axis] == 0 && target[candidate] > self[axis]
    {
      let factor = target[candidate] / self[axis]
      if innerCount(after: axis) == factor * target.innerCount(after: candidate) {
        return (candidate, factor)
      }
    }
    return nil
  }
}

extension Graph {
  /// Inputs and results of nodes. Whatever else a node reads is a constant, also where the elements
  /// are elsewhere, as in a plan read back from its folder.
  var computedValues: Set<ValueID> { Set(inputs).union(nodes.map(\.output)) }
}
