import Foundations
import ModelGraph

/// The constants of a program, each in its own aligned memory.
///
/// `@unchecked Sendable`: the memory is written before `init` returns, read afterwards, and freed when
/// no program refers to it.
final class WeightStore: @unchecked Sendable {
  private let memory: [ValueID: AlignedMemory]
  let bytes: Int

  /// Makes the constants ready that some node reads, one by one, so that at most one exists twice.
  init(
    _ graph: borrowing Graph, _ constants: consuming [ValueID: SharedConstant],
    _ preparations: [ValueID: WeightPreparation]
  ) throws(MartletError) {
    var memory: [ValueID: AlignedMemory] = [:]
    var bytes = 0
    let used = Set(graph.nodes.flatMap(\.inputs)).union(graph.outputs)
    for id in constants.keys.sorted() {
      guard let constant = constants.removeValue(forKey: id), used.contains(id) else { continue }
      do {
        let block = try constant.memory(for: preparations[id])
        memory[id] = block
        bytes += block.count * MemoryLayout<Float>.stride
      } catch {
        throw error.adding("constant", graph[id].name)
      }
    }
    self.memory = memory
    self.bytes = bytes
  }

  subscript(id: ValueID) -> UnsafeMutablePointer<Float>? { memory[id]?.base }
}
