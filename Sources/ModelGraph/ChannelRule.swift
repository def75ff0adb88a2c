package import Tensors

/// What an operation does to the channels of its first operand, which is all that sharding needs to
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

  /// The rule of one node.
  package init(node: Node, graph: Graph) {
    self = node.operation.facts.channelRule(
      node.inputs.map { graph[$0].shape }, result: graph[node.output].shape)
  }

  /// Keeps axis 1, the channels of an image, apart.
  static var imageChannels: ChannelRule { .local { $0 == 1 ? 1 : nil } }

  /// Keeps all axes but some apart, and where they are.
  static func localExcept(_ axes: [Int]) -> ChannelRule {
    .local { axes.contains($0) ? nil : $0 }
  }
}

extension Node {
  /// Whether all outputs of a weighted node read the same inputs.
  package var isUngrouped: Bool {
    guard case .convolution(let attributes) = operation else { return true }
    return attributes.groups == 1
  }

  /// Whether this is a convolution in which each output channel reads the one input channel of the
  /// same number.
  package func isDepthwise(_ graph: Graph) -> Bool {
    guard case .convolution(let attributes) = operation else { return false }
    return attributes.isDepthwise(graph[inputs[0]].shape, result: graph[output].shape)
  }
}

extension Shape {
  /// The axis of `target` that still holds exactly what `axis` holds here after a row-major reshape.
  package func axis(_ axis: Int, carriedTo target: Shape) -> Int? {
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
  package var computedValues: Set<ValueID> { Set(inputs).union(nodes.map(\.output)) }
}
