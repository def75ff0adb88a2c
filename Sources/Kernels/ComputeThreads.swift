import COpenBLAS
import Dispatch
package import Foundations
import Synchronization

/// How many threads one execution may use. A worker on a small device has better uses for its other
/// cores, so the default is 1.
package enum ComputeThreads {
  private static let requested = Atomic<Int>(1)

  /// OpenBLAS itself always runs on the calling thread: kernels split their own work, at bounds
  /// that do not depend on the number of threads, so the results do not either.
  private static let isLibrarySet: Bool = {
    openblas_set_num_threads(1)
    return true
  }()

  /// To be called before the first product.
  ///
  /// - Throws: `resourceExhausted` when OpenBLAS cannot have the memory that it works in.
  package static func prepare() throws(MartletError) {
    _ = isLibrarySet
    try ProductMemory.prepare()
  }

  /// Sets the number of threads for runs that start from now on; at least 1.
  package static func set(_ count: Int) {
    requested.store(min(max(count, 1), 256), ordering: .relaxed)
  }

  /// The number of threads that a run may use.
  package static var count: Int { requested.load(ordering: .relaxed) }
}

/// Calls `body(task, lane)` once for each task in `0..<tasks`; lanes are numbered from 0 and a lane
/// runs one task at a time.
package func parallelForEach(_ tasks: Int, lanes: Int, _ body: (_ task: Int, _ lane: Int) -> Void) {
  let lanes = min(lanes, tasks)
  guard lanes > 1 else {
    for task in 0..<tasks { body(task, 0) }
    return
  }
  withoutActuallyEscaping(body) { body in
    let work = Work(body: body)
    let next = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: lanes) { lane in
      while true {
        let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
        if task >= tasks { return }
        work.body(task, lane)
      }
    }
  }
}

/// Carries a closure to other threads.
///
/// `@unchecked Sendable`: kernels' closures capture addresses and immutable values, distinct tasks
/// write to distinct memory, a lane's scratch is used by one thread at a time, and
/// `concurrentPerform` returns only when all calls have, so nothing outlives its scope.
private struct Work: @unchecked Sendable {
  let body: (Int, Int) -> Void
}
