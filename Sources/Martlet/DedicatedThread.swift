import Foundations
import Glibc
import Synchronization

/// Threads for what waits or computes for long. The threads of Swift's tasks are as many as the
/// processor has cores: whoever blocks one of them holds up the whole program.
enum DedicatedThread {
  /// What a new thread is to do.
  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  /// Starts a thread that ends with `body`.
  static func start(_ body: @escaping @Sendable () -> Void) throws(MartletError) {
    let work = Unmanaged.passRetained(Work(body))
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
        return nil
      }, work.toOpaque())
    guard code == 0 else {
      work.release()
      throw MartletError(
        .resourceExhausted, "a thread cannot be started",
        context: ["reason": String(cString: strerror(code))])
    }
    pthread_detach(thread)
  }

  /// Runs `body` on a thread of its own and waits for its end without blocking.
  ///
  /// - Parameter onCancel: called when the task is cancelled; `body` should end soon after.
  static func run<Value: Sendable>(
    onCancel: @escaping @Sendable () -> Void,
    _ body: @escaping @Sendable () throws(Foundations.MartletError) -> Value
  ) async throws(MartletError) -> Value {
    let result: Result<Value, MartletError> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        do throws(MartletError) {
          try start {
            continuation.resume(
              returning: Result { () throws(MartletError) in try wrappingErrors(body) })
          }
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    } onCancel: {
      onCancel()
    }
    return try result.get()
  }

  /// Runs a computation that asks from time to time whether it is still wanted.
  static func compute<Value: Sendable>(
    _ body:
      @escaping @Sendable (_ isStopped: @escaping @Sendable () -> Bool)
      throws(Foundations.MartletError) -> Value
  ) async throws(MartletError) -> Value {
    let flag = CancelFlag()
    return try await run(onCancel: { flag.set() }) { () throws(Foundations.MartletError) in
      try body { flag.isSet }
    }
  }
}

/// Whether somebody asked to stop; set and read from any thread.
final class CancelFlag: Sendable {
  private let flag = Atomic<Bool>(false)

  var isSet: Bool { flag.load(ordering: .relaxed) }

  func set() { flag.store(true, ordering: .relaxed) }
}

/// Stops something that may not have begun yet.
final class StopSwitch: Sendable {
  private struct State {
    var stop: (@Sendable () -> Void)?
    var isPulled = false
  }

  private let state = Mutex(State())

  /// Says how to stop what has begun; it is stopped at once if that was asked for before.
  func arm(_ stop: @escaping @Sendable () -> Void) {
    let isPulled = state.withLock { state in
      state.stop = stop
      return state.isPulled
    }
    if isPulled { stop() }
  }

  /// Stops it, now or as soon as it begins.
  func pull() {
    let stop = state.withLock { state in
      state.isPulled = true
      return state.stop
    }
    stop?()
  }
}
