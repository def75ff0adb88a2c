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
          node.operation.facts.keepsBatch(
            node.inputs.map { batched.contains($0) ? self[$0].shape : nil }, result: output)
        else { throw Self.mixing }
        let operation = node.operation.facts.rebatched(to: count).operation
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
