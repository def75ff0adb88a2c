import Synchronization

/// Joins inputs that come when they come to answers that are taken when they are taken, with a bound on
/// what lies between.
final class AnswerPipe: Sendable {
  private struct State {
    /// Inputs that were asked for, and whose answers have not been handed over.
    var held = 0
    /// Frames that were sent, in order, whose answers have not been asked for.
    var frames: [PendingAnswer] = []
    /// Whether inputs have ended, and with what error.
    var end: Result<Void, any Error>?
    /// Who feeds inputs and waits for room.
    var feeder: WaitingPlace<Void>?
    /// Who takes answers and waits for a frame.
    var consumer: WaitingPlace<Void>?
  }

  private let limit: @Sendable () -> Int
  private let state = Mutex(State())

  /// - Parameter limit: what lies between at most, asked before each input.
  init(limit: @escaping @Sendable () -> Int) { self.limit = limit }

  /// Sends inputs as long as there is room.
  func feed<Inputs: AsyncSequence>(
    _ inputs: Inputs, into session: InferenceSession
  ) async where Inputs.Element == Tensor {
    do {
      var iterator = inputs.makeAsyncIterator()
      while true {
        // Room first: an input that waited outside would be held without being counted.
        try await waitForRoom()
        guard let input = try await iterator.next() else { break }
        put(try await session.submit(input))
      }
      finish(.success(()))
    } catch {
      finish(.failure(error))
    }
  }

  private func waitForRoom() async throws(MartletError) {
    while true {
      let limit = limit()
      let place = state.withLock { state -> WaitingPlace<Void>? in
        guard state.held >= limit else {
          state.held += 1
          return nil
        }
        let place = WaitingPlace<Void>()
        state.feeder = place
        return place
      }
      guard let place else { return }
      try await place.wait().get()
    }
  }

  private func put(_ frame: PendingAnswer) {
    let consumer = state.withLock { state in
      state.frames.append(frame)
      defer { state.consumer = nil }
      return state.consumer
    }
    consumer?.end(.success(()))
  }

  private func finish(_ end: Result<Void, any Error>) {
    let consumer = state.withLock { state in
      state.end = end
      defer { state.consumer = nil }
      return state.consumer
    }
    consumer?.end(.success(()))
  }

  /// The next answer, in the order of the inputs; nil when these have ended.
  func next() async throws -> Answer? {
    while true {
      enum Step {
        case take(PendingAnswer)
        case wait(WaitingPlace<Void>)
        case end(Result<Void, any Error>)
      }
      let step = state.withLock { state -> Step in
        if !state.frames.isEmpty { return .take(state.frames.removeFirst()) }
        if let end = state.end { return .end(end) }
        let place = WaitingPlace<Void>()
        state.consumer = place
        return .wait(place)
      }
      switch step {
      case .take(let frame):
        let answer = try await frame.value
        handOver()
        return answer
      case .wait(let place): try await place.wait().get()
      case .end(let end):
        try end.get()
        return nil
      }
    }
  }

  private func handOver() {
    let feeder = state.withLock { state in
      state.held -= 1
      defer { state.feeder = nil }
      return state.feeder
    }
    feeder?.end(.success(()))
  }
}
