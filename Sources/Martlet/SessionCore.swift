import Foundations
import ModelCards
import Synchronization
import Tensors

/// What a session and its thread share: frames to send, room for more, who is there, and whether to end.
///
/// All of it is behind one mutex; nothing that waits or calls out happens with it held.
final class SessionCore: Sendable {
  /// A frame to send.
  struct Job: Sendable {
    var input: FrameInput
    /// When it came: patience with it begins then, not when its turn comes.
    var submitted: MonotonicTime
    var end: MonotonicTime
    var pending: PendingAnswer
  }

  private struct State {
    /// Frames under way at most.
    var limit: Int
    var isClosing = false
    /// Why the thread has ended.
    var ended: MartletError?
    var jobs: [Job] = []
    /// Frames that were let in and have not come to their end.
    var used = 0
    /// Those who wait to be let in, the first one first.
    var waiting: [WaitingPlace<Void>] = []
    var closing: [WaitingPlace<Void>] = []
    var wake: (@Sendable () -> Void)?
    var devices: [DevicePresence] = []
    var watchers: [Int: AsyncStream<[DevicePresence]>.Continuation] = [:]
    var nextWatcher = 0

    init(limit: Int) { self.limit = limit }

    /// Lets in those who wait, as far as there is room.
    mutating func admit() {
      while used < limit, !waiting.isEmpty {
        // One whose task was cancelled does not take the room.
        if waiting.removeFirst().end(.success(())) { used += 1 }
      }
    }
  }

  /// Ends the thread without waiting for answers.
  let stop = StopSwitch()
  private let state: Mutex<State>

  /// - Parameter limit: frames under way at once, until `allow` says otherwise.
  init(limit: Int) { state = Mutex(State(limit: limit)) }

  static let closed = MartletError(.cancelled, "the session is closed")

  // MARK: For callers

  /// Waits for room and hands a frame to the thread.
  func submit(
    _ input: FrameInput, until end: MonotonicTime
  ) async throws(MartletError) -> PendingAnswer {
    let place = WaitingPlace<Void>()
    let refusal = state.withLock { state -> MartletError? in
      if let refusal = state.ended ?? (state.isClosing ? Self.closed : nil) { return refusal }
      if state.used < state.limit {
        state.used += 1
        place.end(.success(()))
      } else {
        // Who gave up in the meantime needs no place any more.
        state.waiting.append(place)
      }
      return nil
    }
    if let refusal { throw refusal }
    do throws(MartletError) {
      try await place.wait().get()
    } catch {
      state.withLock { state in state.waiting.removeAll { $0 === place } }
      throw error
    }
    let job = Job(input: input, submitted: .now(), end: end, pending: PendingAnswer())
    let (ended, wake) = state.withLock { state in
      if state.ended == nil { state.jobs.append(job) }
      return (state.ended, state.wake)
    }
    if let ended { throw ended }
    wake?()
    return job.pending
  }

  /// Frames under way at most, for now.
  var limit: Int { state.withLock { $0.limit } }

  /// Frames that were let in and have not come to their end.
  var framesInFlight: Int { state.withLock { $0.used } }

  /// Who is there.
  var devices: [DevicePresence] { state.withLock { $0.devices } }

  /// Who is there now, and whenever that changes.
  func watch() -> AsyncStream<[DevicePresence]> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: [DevicePresence].self, bufferingPolicy: .bufferingNewest(1))
    let number: Int? = state.withLock { state in
      // With the mutex held, so that no change comes between.
      continuation.yield(state.devices)
      guard state.ended == nil else { return nil }
      state.nextWatcher += 1
      state.watchers[state.nextWatcher] = continuation
      return state.nextWatcher
    }
    guard let number else {
      continuation.finish()
      return stream
    }
    continuation.onTermination = { [self] _ in
      _ = state.withLock { $0.watchers.removeValue(forKey: number) }
    }
    return stream
  }

  /// Lets no more frames in, and waits until those under way have come to their end.
  func close() async {
    let place = WaitingPlace<Void>()
    let (refused, wake) = state.withLock { state in
      state.isClosing = true
      if state.ended == nil { state.closing.append(place) } else { place.end(.success(())) }
      defer { state.waiting = [] }
      return (state.waiting, state.wake)
    }
    for waiting in refused { waiting.end(.failure(Self.closed)) }
    wake?()
    if case .failure = await place.wait() { stop.pull() }
  }

  // MARK: For the thread

  /// Frames can be sent from now on.
  func begin(devices: [DevicePresence], wake: @escaping @Sendable () -> Void) {
    state.withLock { state in
      state.devices = devices
      state.wake = wake
    }
  }

  /// There may be so many frames under way from now on; those beyond that come to their end.
  func allow(_ limit: Int) {
    state.withLock { state in
      state.limit = limit
      state.admit()
    }
  }

  /// The next frame to send.
  func takeJob() -> Job? {
    state.withLock { $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }
  }

  /// Whether to end: nothing more is let in, and nothing waits to be sent.
  var isDone: Bool { state.withLock { $0.isClosing && $0.used == 0 } }

  /// A frame has come to its end: there is room for another.
  func end(_ pending: PendingAnswer, _ result: Result<Answer, MartletError>) {
    // Room first: whoever has the answer finds it.
    defer { pending.end(result) }
    state.withLock { state in
      state.used -= 1
      state.admit()
    }
  }

  /// A device looks different now.
  func change(_ device: DevicePresence) {
    state.withLock { state in
      guard let index = state.devices.firstIndex(where: { $0.device == device.device }) else {
        return
      }
      state.devices[index] = device
      for watcher in state.watchers.values { watcher.yield(state.devices) }
    }
  }

  /// The thread ends; everybody who waits for something gets to know.
  func finish(_ error: MartletError) {
    let last = state.withLock { state in
      state.ended = error
      defer {
        state.jobs = []
        state.waiting = []
        state.closing = []
        state.watchers = [:]
        state.wake = nil
      }
      return state
    }
    for job in last.jobs { job.pending.end(.failure(error)) }
    for place in last.waiting { place.end(.failure(error)) }
    for place in last.closing { place.end(.success(())) }
    for watcher in last.watchers.values { watcher.finish() }
  }
}
