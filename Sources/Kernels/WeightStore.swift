import Foundations
import ModelGraph

/// The constants of a program: each in its own aligned memory, or as it is stored.
///
/// `@unchecked Sendable`: the memory is written before `init` returns, read afterwards, and freed when
/// no program refers to it.
final class WeightStore: @unchecked Sendable {
  private let memory: [ValueID: AlignedMemory]
  private let stored: [ValueID: StoredWeights]
  let bytes: Int

  /// Makes the constants ready that some node reads, one by one, so that at most one exists twice.
  ///
  /// - Parameter narrow: those that their kernels read as they are stored.
  init(
    _ graph: borrowing Graph, _ constants: consuming [ValueID: SharedConstant],
    _ preparations: [ValueID: WeightPreparation], narrow: Set<ValueID>
  ) throws(MartletError) {
    var stored: [ValueID: StoredWeights] = [:]
    var memory: [ValueID: AlignedMemory] = [:]
    var bytes = 0
    let used = Set(graph.nodes.flatMap(\.inputs)).union(graph.outputs)
    for id in constants.keys.sorted() {
      guard let constant = constants.removeValue(forKey: id), used.contains(id) else { continue }
      do {
        if narrow.contains(id), let weights = try constant.narrowWeights() {
          stored[id] = weights
          bytes += weights.bytes
          continue
        }
        let block = try constant.memory(for: preparations[id])
        memory[id] = block
        bytes += block.count * MemoryLayout<Float>.stride
      } catch {
        throw error.adding("constant", graph[id].name)
      }
    }
    self.memory = memory
    self.stored = stored
    self.bytes = bytes
  }

  /// Nil for weights that are read as they are stored.
  subscript(id: ValueID) -> UnsafeMutablePointer<Float>? { memory[id]?.base }

  /// Weights that are read as they are stored.
  func stored(_ id: ValueID) -> StoredWeights? { stored[id] }
}
