import Kernels

/// One node made ready to run backwards: everything about shapes is settled, only addresses are
/// missing.
protocol BackwardKernel: Sendable {
  /// Floats of scratch memory needed by each compute thread.
  var scratchCount: Int { get }
  /// Adds to the gradients of the node's operands.
  func run(_ operands: BackwardOperands)
}

extension BackwardKernel {
  var scratchCount: Int { 0 }
}

/// The values of the forward run that a node's derivative is computed from.
struct BackwardNeeds {
  /// Which operands, by position.
  var inputs: Set<Int> = []
  /// Whether the result.
  var output = false
}

/// The addresses that one backward run of a node works with.
struct BackwardOperands {
  /// The node's inputs in order; meaningless where `BackwardNeeds` does not name them.
  let inputs: [UnsafePointer<Float>]
  /// The node's result, likewise.
  let output: UnsafePointer<Float>
  /// The gradient with respect to the result. Nobody reads it afterwards: it may be overwritten.
  let cotangent: UnsafeMutablePointer<Float>
  /// Where to add the gradient with respect to each input; nil where nobody wants it. Inputs that
  /// are the same value share one address.
  let gradients: [UnsafeMutablePointer<Float>?]
  /// Scratch of lane 0; lane i begins `scratchStride` floats further.
  let scratch: UnsafeMutablePointer<Float>
  let scratchStride: Int
  /// How many threads may work on this kernel.
  let lanes: Int

  /// Runs `body(task, scratch)` for every task, on several threads when there are lanes. Which lane
  /// takes a task is chance: tasks write to different memory, and the bounds between them do not
  /// depend on the number of lanes, so neither do results.
  func forEach(_ tasks: Int, _ body: (Int, UnsafeMutablePointer<Float>) -> Void) {
    parallelForEach(tasks, lanes: lanes) { task, lane in
      body(task, scratch + lane * scratchStride)
    }
  }

  /// Runs `body(start, count)` over pieces of a long element-wise loop.
  func forEachPiece(_ count: Int, _ body: (_ start: Int, _ count: Int) -> Void) {
    let size = 1 << 15
    forEach((count + size - 1) / size) { piece, _ in
      body(piece * size, min(size, count - piece * size))
    }
  }
}
