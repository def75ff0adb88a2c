import Dispatch
import Foundations
import Synchronization

/// Splits independent tasks over threads, each with a state of its own.
enum BatchWorkers {
  /// Calls `body` once for each task in `0..<tasks`, unless one of them fails: then the others stop
  /// after the task they are at.
  ///
  /// - Parameter makeState: called once on each thread.
  /// - Throws: The first error by time.
  static func run<State>(
    tasks: Int, threads: Int, makeState: @Sendable () throws(MartletError) -> State,
    body: @Sendable (Int, State) throws(MartletError) -> Void
  ) throws(MartletError) {
    let failure = Mutex<MartletError?>(nil)
    let next = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: min(max(threads, 1), max(tasks, 1))) { _ in
      do throws(MartletError) {
        let state = try makeState()
        while failure.withLock({ $0 == nil }) {
          let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
          if task >= tasks { return }
          try body(task, state)
        }
      } catch {
        failure.withLock { if $0 == nil { $0 = error } }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
  }
}
