import Foundations
import Kernels

/// Working memory of the last frames' program, for frames with the same attendance.
struct ExecutionPool {
  private let limit: Int
  private var program: ObjectIdentifier?
  private var free: [Execution] = []

  /// - Parameter limit: how many to keep.
  init(limit: Int) { self.limit = limit }

  /// Memory for a frame, of an ended one if there is any.
  mutating func take(for engine: DeviceEngine) throws(MartletError) -> Execution {
    if program != ObjectIdentifier(engine.compiled) {
      free = []
      program = ObjectIdentifier(engine.compiled)
    }
    if let used = free.popLast() { return used }
    return try Execution(engine.compiled)
  }

  /// Takes back the memory of a frame that has ended.
  mutating func give(_ execution: Execution, of engine: DeviceEngine) {
    if free.count < limit, program == ObjectIdentifier(engine.compiled) { free.append(execution) }
  }
}
