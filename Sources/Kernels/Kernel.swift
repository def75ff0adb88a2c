import ModelGraph
import Tensors

/// One node made ready to run: everything about shapes is settled, only addresses are missing.
///
/// Kernels are values without references to an execution, so that a program can be shared.
protocol Kernel: Sendable {
  /// Floats of scratch memory needed by each compute thread.
  var scratchCount: Int { get }
  /// How a weight is rewritten before the first run; nil to use it as given.
  var preparation: WeightPreparation? { get }
  /// The type in which it reads the weights of a layer, its second operand: float32, or as its
  /// `KernelSite` says they are stored.
  var weightType: ElementType { get }
  /// What one run does; nil when it reads its operands and writes its result, each once.
  var work: [KernelWork]? { get }
  /// Computes the node.
  func run(_ operands: Operands)
}

extension Kernel {
  var scratchCount: Int { 0 }
  var preparation: WeightPreparation? { nil }
  var weightType: ElementType { .float32 }
  var work: [KernelWork]? { nil }
}

/// A constant operand in the form that a kernel wants. It takes the given one's place in memory.
struct WeightPreparation: Sendable {
  /// Names the form: programs that share a constant must want the same.
  let form: String
  /// Which operand.
  let input: Int
  /// Floats of the new form.
  let count: Int
  /// Writes the new form.
  let transform: @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
}

/// The addresses that one run of a kernel works with.
struct Operands {
  /// The node's inputs in order.
  let inputs: UnsafePointer<UnsafeMutablePointer<Float>>
  /// The second operand where the kernel reads it as it is stored.
  let stored: StoredWeights?
  /// The node's result. The same address as an input when the plan computes in place.
  let output: UnsafeMutablePointer<Float>
  /// Scratch of lane 0; lane i begins `scratchStride` floats further.
  let scratch: UnsafeMutablePointer<Float>
  let scratchStride: Int
  /// How many threads may work on this kernel.
  let lanes: Int

  func input(_ index: Int) -> UnsafePointer<Float> { UnsafePointer(inputs[index]) }

  /// The second operand as rows of so many weights.
  func weights(columns: Int) -> WeightMatrix {
    stored?.matrix(columns: columns)
      ?? WeightMatrix(elements: .floats(input(1)), columns: columns)
  }

  func scratch(lane: Int) -> UnsafeMutablePointer<Float> { scratch + lane * scratchStride }

  /// Runs `body(task, scratch)` for every task, on several threads when there are lanes.
  /// Which lane takes a task is chance; a task must not depend on it.
  func forEach(_ tasks: Int, _ body: (Int, UnsafeMutablePointer<Float>) -> Void) {
    parallelForEach(tasks, lanes: lanes) { task, lane in body(task, scratch(lane: lane)) }
  }
}
