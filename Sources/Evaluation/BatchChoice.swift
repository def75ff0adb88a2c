// How many inputs a masked model takes at once.

package import Foundations
package import ModelGraph
import Tensors

extension MaskedModel {
  /// About how much memory the activations and snapshots of one thread may take.
  private static let memoryPerThread = 256 << 20

  /// Compiles a model of batch one for as many inputs per run as suit its size: more than one where
  /// that is possible, because weights are then read once for all of them.
  ///
  /// The choice depends on the model alone, so that results do not depend on the machine's memory or
  /// processors.
  ///
  /// - Parameter largest: at most so many; few where few images are looked at, so that all threads
  ///   have some.
  /// - Throws: What `init(_:points:hasNulls:)` throws.
  package convenience init(
    batching graph: Graph, points: [ChannelPoint], hasNulls: Bool = false,
    largest most: Int = 16
  ) throws(MartletError) {
    let extents = points.map { graph[$0.value].shape.count }
    let largest = graph.nodes.map { graph[$0.output].shape.count }.max() ?? 0
    // Each boundary may keep its value, and a few values live between boundaries.
    let bytes = (extents.reduce(0, +) * 2 + largest * 3) * ElementType.float32.size
    let batch = min(max(Self.memoryPerThread / max(bytes, 1), 1), most)
    let batched: Graph
    do {
      batched = try graph.rebatched(to: batch)
    } catch  where error.code == .unsupported {
      batched = graph
    }
    try self.init(batched, points: points, hasNulls: hasNulls)
  }
}
