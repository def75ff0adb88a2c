import Foundations
import ModelGraph
import Plan
import Tensors

/// Where the removal of a neuron of one weighted node takes effect, and where it stops being the
/// business of one channel.
///
/// From the place of removal the change stays in one channel through depthwise convolutions, pooling
/// and the like. The first node that mixes channels, a convolution or dense layer, gets an input
/// that differs in one channel: its result is the cached one plus that channel's columns of the
/// weights times the difference, which costs a fraction of the whole product.
struct RemovalPath {
  /// The value in which the neuron's channel becomes zero: after the activation, before anything is
  /// added to it.
  let removal: ValueID
  /// The channels of that value.
  let removalView: ChannelView
  /// The node that mixes; nil when there is none that the change reaches alone.
  let mixing: Mixing?

  struct Mixing {
    /// Position in the graph.
    let node: Int
    /// Its operand, and where a channel lies in it.
    let operand: ValueID
    let view: ChannelView
  }

  /// - Parameter node: the position of a weighted node.
  init(_ graph: Graph, node: Int, consumers: [ValueID: [Int]]) {
    let weighted = graph.nodes[node]
    func soleReader(_ id: ValueID) -> Int? {
      guard let readers = consumers[id], readers.count == 1, !graph.outputs.contains(id) else {
        return nil
      }
      return readers[0]
    }
    var value = weighted.output
    var axis = weighted.operation.isDense ? graph[value].shape.rank - 1 : 1
    // An activation that was not fused, behind the affine functions of a normalisation, say.
    var end = value
    while let next = soleReader(end) {
      let reader = graph.nodes[next]
      guard reader.isChannelwise(of: end, graph), graph[reader.output].shape == graph[value].shape
      else { break }
      end = reader.output
      if case .activation = reader.operation { value = end }
    }
    removal = value
    removalView = ChannelView(graph[value].shape, axis: axis)

    var view = removalView
    var factor = 1
    var found: Mixing?
    while let next = soleReader(value) {
      let reader = graph.nodes[next]
      if reader.mixes(axis: axis, of: value, graph) {
        found = Mixing(node: next, operand: value, view: view)
        break
      }
      guard reader.inputs.dropFirst().allSatisfy({ graph.constants[$0] != nil }),
        reader.inputs.first == value
      else { break }
      let output = graph[reader.output].shape
      if factor == 1, let axes = reader.channelAxis(axis, graph) {
        axis = axes
        view = ChannelView(output, axis: axis)
      } else if factor == 1, case .reshape = reader.operation,
        let merged = graph[value].shape.axis(axis, mergedInto: output)
      {
        (axis, factor) = merged
        view = ChannelView(output, axis: axis, factor: factor)
      } else {
        break
      }
      value = reader.output
    }
    mixing = found
  }
}

extension ModelGraph.Operation {
  fileprivate var isDense: Bool { if case .dense = self { true } else { false } }
}

extension Node {
  /// Whether this is a function of each element of `value` and constants.
  fileprivate func isChannelwise(of value: ValueID, _ graph: Graph) -> Bool {
    guard inputs.first == value || inputs.last == value,
      inputs.allSatisfy({ $0 == value || graph.constants[$0] != nil })
    else { return false }
    switch operation {
    case .activation, .channelAffine, .unary, .binary: return true
    default: return false
    }
  }

  /// Where this local operation puts the channels of its first operand.
  fileprivate func channelAxis(_ axis: Int, _ graph: Graph) -> Int? {
    if case .local(let map) = ChannelRule(node: self, graph: graph) { return map(axis) }
    guard case .binary = operation else { return nil }
    return graph[output].shape == graph[inputs[0]].shape ? axis : nil
  }

  /// Whether this is a product over the channels, all of them and with weights that are known.
  fileprivate func mixes(axis: Int, of value: ValueID, _ graph: Graph) -> Bool {
    guard inputs.count >= 2, inputs[0] == value, !inputs.dropFirst().contains(value),
      inputs.dropFirst().allSatisfy({ graph.constants[$0]?.floats != nil })
    else { return false }
    switch operation {
    case .convolution(let convolution):
      return convolution.groups == 1 && convolution.spread == nil && axis == 1
    case .dense: return axis == graph[value].shape.rank - 1
    default: return false
    }
  }
}
