import Synchronization

/// A place where one task waits for something. It goes on with whatever ends the wait first: a value, an
/// error, or its own cancellation.
final class WaitingPlace<Value: Sendable>: Sendable {
  typealias Outcome = Result<Value, MartletError>

  private struct State {
    var outcome: Outcome?
    var continuation: CheckedContinuation<Outcome, Never>?
  }

  private let state = Mutex(State())

  /// Ends the wait, which may not have begun.
  ///
  /// - Returns: false if it had ended before; then this changes nothing.
  @discardableResult func end(_ outcome: Outcome) -> Bool {
    let (isFirst, continuation) = state.withLock { state in
      guard state.outcome == nil else {
        return (false, CheckedContinuation<Outcome, Never>?.none)
      }
      state.outcome = outcome
      defer { state.continuation = nil }
      return (true, state.continuation)
    }
    continuation?.resume(returning: outcome)
    return isFirst
  }

  /// Waits; to be called once.
  func wait() async -> Outcome {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let outcome = state.withLock { state in
          if state.outcome == nil { state.continuation = continuation }
          return state.outcome
        }
        if let outcome { continuation.resume(returning: outcome) }
      }
    } onCancel: {
      end(.failure(.cancelled))
    }
  }
}
