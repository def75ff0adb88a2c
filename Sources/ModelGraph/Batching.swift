// A graph for several inputs at once.

package import Foundations
import Tensors

extension Graph {
  /// The same function of `count` inputs at once: axis 0 of every input, value and output becomes
  /// `count`.
  ///
  /// - Throws: `unsupported` naming the node when axis 0 of some value is not the batch, or when what
  ///   a node computes for one input would depend on another.
  package func rebatched(to count: Int) throws(MartletError) -> Graph {
    var graph = self
    guard let first = inputs.first, self[first].shape.rank > 0 else {
      throw MartletError(
        .unsupported, "the model has no batch dimension", context: ["model": name])
    }
    let old = self[first].shape[0]
    var batched: Set<ValueID> = []
    for id in inputs {
      guard self[id].shape.rank > 0, self[id].shape[0] == old else {
        throw MartletError(
          .unsupported, "an input has no batch dimension", context: ["input": self[id].name])
      }
      batched.insert(id)
      graph[id].shape = self[id].shape.replacing(axis: 0, with: count)
    }
    for (index, node) in nodes.enumerated() where node.inputs.contains(where: batched.contains) {
      do throws(MartletError) {
        let output = self[node.output].shape
        guard output.rank > 0, output[0] == old,
          node.operation.keepsBatch(
            node.inputs.map { batched.contains($0) ? self[$0].shape : nil }, output: output,
            batch: old)
        else { throw Self.mixing }
        let operation = node.operation.rebatched(to: count)
        let shape = output.replacing(axis: 0, with: count)
        guard
          try operation.outputShape(inputs: node.inputs.map { graph[$0].shape }, declared: shape)
            == shape
        else { throw Self.mixing }
        graph.nodes[index].operation = operation
        graph[node.output].shape = shape
        batched.insert(node.output)
      } catch {
        throw MartletError(
          .unsupported, "the model cannot compute several inputs at once",
          context: ["node": node.name, "reason": error.message])
      }
    }
    return graph
  }

  private static let mixing = MartletError(
    .unsupported, "the first axis of its operands is not a batch")
}

extension Operation {
  /// Whether entry i of the result's axis 0 depends on entry i of the batched operands alone.
  ///
  /// - Parameter operands: the shapes of the batched operands; nil for the others.
  fileprivate func keepsBatch(_ operands: [Shape?], output: Shape, batch: Int) -> Bool {
    let whole = SliceRange(start: 0, step: 1, count: batch)
    switch self {
    case .convolution, .pooling, .channelAffine, .activation, .unary:
      return operands[0] != nil && operands.dropFirst().allSatisfy { $0 == nil }
    case .dense:
      return (operands[0]?.rank ?? 0) >= 2 && operands.dropFirst().allSatisfy { $0 == nil }
    case .matMul:
      // Of two matrices only the rows of the first can be a batch.
      return operands.allSatisfy { $0 == nil || $0?.rank == output.rank }
        && (output.rank > 2 || operands[1] == nil)
    case .binary:
      return operands.allSatisfy { $0 == nil || $0?.rank == output.rank }
    case .layerNormalization(let norm):
      return operands.dropFirst().allSatisfy { $0 == nil } && !norm.axes.contains(0)
    case .softmax(let axis, _), .selection(let axis, _): return axis != 0
    case .concatenation(let axis): return axis != 0 && operands.allSatisfy { $0 != nil }
    case .transpose(let permutation): return permutation.first == 0
    case .reshape: return operands[0]?.dimensions.first == batch
    case .slice(let ranges): return ranges.first == whole
    case .pad(let before, let after, _): return before.first == 0 && after.first == 0
    case .reduction(let reduction): return !reduction.axes.contains(0)
    case .combination(let combination): return combination.axis != 0
    case .exchange: return false
    }
  }

  /// The one operation that names the extent of axis 0.
  fileprivate func rebatched(to count: Int) -> Operation {
    guard case .slice(var ranges) = self, !ranges.isEmpty else { return self }
    ranges[0].count = count
    return .slice(ranges)
  }
}
