import Synchronization

/// A frame that was sent, and its answer as soon as there is one.
public final class PendingAnswer: Sendable {
  private struct State {
    var result: Result<Answer, MartletError>?
    var waiting: [WaitingPlace<Answer>] = []
  }

  private let state = Mutex(State())

  init() {}

  /// The answer; waits for it. May be asked for any number of times.
  ///
  /// - Throws: ``MartletError``: `unreachable` when no device or no broker answered within the
  ///   session's patience, `timedOut` when the frame's own time was over before anything came,
  ///   `cancelled` when the waiting task is cancelled (the frame goes on) or the session was closed,
  ///   `superseded`, `resourceExhausted`.
  public var value: Answer {
    get async throws(MartletError) {
      let place = WaitingPlace<Answer>()
      let known = state.withLock { state in
        if state.result == nil { state.waiting.append(place) }
        return state.result
      }
      if let known { return try known.get() }
      return try await place.wait().get()
    }
  }

  /// Whether the frame has come to its end, with or without an answer.
  public var isFinished: Bool { state.withLock { $0.result != nil } }

  func end(_ result: Result<Answer, MartletError>) {
    let waiting = state.withLock { state in
      state.result = result
      defer { state.waiting = [] }
      return state.waiting
    }
    for place in waiting { place.end(result) }
  }
}
