package import Foundations
package import Kernels

/// Working memory of the last frames' program, for frames with the same attendance, and what all frames
/// share while a stage runs. All its executions run on one thread.
package struct ExecutionPool {
  private let limit: Int
  private var program: ObjectIdentifier?
  private var free: [Execution] = []
  private let stageMemory = StageMemory()
  /// The fewest that were free at any time since the last `dropUnused`.
  private var unused = 0

  /// - Parameter limit: how many to keep.
  package init(limit: Int) { self.limit = limit }

  /// How many are kept for other frames.
  package var count: Int { free.count }

  /// Memory for a frame, of an ended one if there is any.
  package mutating func take(for engine: DeviceEngine) throws(MartletError) -> Execution {
    if program != ObjectIdentifier(engine.compiled) {
      free = []
      unused = 0
      program = ObjectIdentifier(engine.compiled)
    }
    if let used = free.popLast() {
      unused = min(unused, free.count)
      return used
    }
    return try Execution(engine.compiled, sharing: stageMemory)
  }

  /// Takes back the memory of a frame that has ended.
  package mutating func give(_ execution: Execution, of engine: DeviceEngine) {
    if free.count < limit, program == ObjectIdentifier(engine.compiled) { free.append(execution) }
  }

  /// Gives up what no frame has needed since the last call; one stays for the next frame.
  package mutating func dropUnused() {
    free.removeFirst(min(unused, max(0, free.count - 1)))
    unused = free.count
  }
}
