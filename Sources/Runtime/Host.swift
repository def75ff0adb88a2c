package import Foundations
import Synchronization

/// Something that runs under an epoch.
package protocol EpochBound: AnyObject {
  /// The epoch of a run of the same name that has ended and was later than this one's: the clock went
  /// back. Nil unless that ended `run`.
  var overtakenBy: UInt64? { get }
  /// Ends `run` soon; may be called from any thread.
  var stopper: @Sendable () -> Void { get }
  /// Runs until stopped.
  func run() throws(MartletError)
}

/// Runs a worker or a gateway, and again under a later epoch if one of that name that is gone had a
/// later one than the clock gives.
package final class Host<Run: EpochBound> {
  private let state = HostState()
  private let make: (UInt64?) throws(MartletError) -> Run
  private var current: Run?

  /// Prepares the first run; nothing is sent before `run`.
  ///
  /// - Parameter make: prepares a run whose epoch is at least the one given.
  /// - Throws: what `make` throws.
  package init(_ make: @escaping (UInt64?) throws(MartletError) -> Run) throws(MartletError) {
    self.make = make
    current = try make(nil)
  }

  /// Ends `run` soon, now or when it is called; may be called from any thread.
  package var stopper: @Sendable () -> Void {
    let state = state
    return {
      let stop = state.value.withLock { state in
        state.isStopped = true
        return state.stopper
      }
      stop?()
    }
  }

  /// Runs until stopped.
  ///
  /// - Throws: what the run throws.
  package func run() throws(MartletError) {
    var least: UInt64?
    while true {
      let run: Run
      if let prepared = current { run = prepared } else { run = try make(least) }
      current = nil
      let stop = run.stopper
      let isStopped = state.value.withLock { state in
        state.stopper = stop
        return state.isStopped
      }
      if isStopped { stop() }
      do {
        return try run.run()
      } catch {
        guard let ended = run.overtakenBy else { throw error }
        least = max(least ?? 0, ended) + 1
      }
    }
  }
}

/// What a host's `stopper` shares with its `run`.
private final class HostState: Sendable {
  struct Value {
    var stopper: (@Sendable () -> Void)?
    var isStopped = false
  }

  let value = Mutex(Value())
}
