/// Working memory that is of use only while a stage runs, for any number of executions of any programs
/// that one thread runs: what is computed and read within one stage, and the kernels' scratch.
///
/// A frame that waits at a boundary needs only what outlives the stage; with several frames under way
/// the rest would lie idle in all of them but one. It grows to what the program with most of it needs.
package final class StageMemory {
  private var values: AlignedMemory?
  private var scratch: AlignedMemory?

  package init() {}

  /// Bytes that it has taken.
  package var bytes: Int {
    ((values?.count ?? 0) + (scratch?.count ?? 0)) * MemoryLayout<Float>.stride
  }

  /// At least `count` floats for the values of a stage; nil when the system has no more memory. The
  /// executions that were given less before keep what they have.
  func values(_ count: Int) -> AlignedMemory? { StageMemory.grow(&values, to: count) }

  /// At least `count` floats of scratch.
  func scratch(_ count: Int) -> AlignedMemory? { StageMemory.grow(&scratch, to: count) }

  private static func grow(_ memory: inout AlignedMemory?, to count: Int) -> AlignedMemory? {
    if let memory, memory.count >= count { return memory }
    guard let larger = AlignedMemory(count: count) else { return nil }
    memory = larger
    return larger
  }
}
