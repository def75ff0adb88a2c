import ModelGraph
import TensorCore

/// The constants of a program, each in its own aligned memory.
///
/// `@unchecked Sendable`: the memory is written in `init` only, before the object can be shared, and
/// read afterwards; `deinit` runs when no reference is left.
final class WeightStore: @unchecked Sendable {
  private let memory: [ValueID: AlignedMemory]
  let bytes: Int

  /// Moves the constants out of `graph`, one by one, so that at most one exists twice.
  init(
    takingFrom graph: inout Graph, _ preparations: [ValueID: WeightPreparation]
  ) throws(MartletError) {
    var memory: [ValueID: AlignedMemory] = [:]
    var bytes = 0
    let used = Set(graph.nodes.flatMap(\.inputs)).union(graph.outputs)
    for id in graph.constants.keys.sorted() {
      guard let tensor = graph.constants.removeValue(forKey: id), used.contains(id),
        let values = tensor.floats
      else { continue }
      let preparation = preparations[id]
      let count = preparation?.count ?? values.count
      guard let block = AlignedMemory(count: count, zeroed: false) else {
        throw MartletError(
          .resourceExhausted, "there is no memory for the weights",
          context: ["constant": graph[id].name, "bytes": "\(count * 4)"])
      }
      values.withUnsafeBufferPointer {
        guard let source = $0.baseAddress else { return }
        if let preparation {
          preparation.transform(source, block.base)
        } else {
          block.base.update(from: source, count: $0.count)
        }
      }
      memory[id] = block
      bytes += count * MemoryLayout<Float>.stride
    }
    self.memory = memory
    self.bytes = bytes
  }

  subscript(id: ValueID) -> UnsafeMutablePointer<Float>? { memory[id]?.base }
}
