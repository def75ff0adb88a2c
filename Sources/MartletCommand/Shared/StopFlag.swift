import Foundations
import Synchronization

/// Whether the user asked to stop, and whom to tell.
final class StopFlag: Sendable {
  private struct State {
    var signal: Int32?
    var listener: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())

  /// Remembers a signal and tells the listener.
  func set(signal: Int32) {
    let listener = state.withLock { state in
      state.signal = signal
      return state.listener
    }
    listener?()
  }

  /// Calls `body` when the user asks to stop, at once if they already have.
  func listen(_ body: @escaping @Sendable () -> Void) {
    let isSet = state.withLock { state in
      state.listener = body
      return state.signal != nil
    }
    if isSet { body() }
  }

  /// The signal, if there was one.
  var signal: Int32? { state.withLock { $0.signal } }

  /// Throws if the user asked to stop.
  func check() throws(MartletError) {
    if signal != nil { throw MartletError(.cancelled, "stopped") }
  }
}
