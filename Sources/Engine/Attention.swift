package import Foundations

/// Notices when this process did not run although it wanted to: it was stopped, or others had the
/// processor. What it did not hear meanwhile is nobody's fault.
package struct Attention: Sendable {
  /// Less than this is not worth a correction.
  package static let threshold = Duration.milliseconds(5)

  private var last: MonotonicTime
  private var lastProcessor: Duration

  /// Begins to watch.
  ///
  /// - Parameter processor: the processor time that the thread has had.
  package init(now: MonotonicTime, processor: Duration) {
    last = now
    lastProcessor = processor
  }

  /// How long the process was away since the last call; zero for less than 5 ms.
  ///
  /// - Parameters:
  ///   - asleep: how long the thread slept because it had nothing to do.
  ///   - processor: the processor time that the thread has had.
  package mutating func away(
    now: MonotonicTime, asleep: Duration, processor: Duration
  ) -> Duration {
    let passed = now.duration(since: last)
    let busy = max(processor - lastProcessor, .zero)
    last = now
    lastProcessor = processor
    let away = passed - asleep - busy
    return away >= Self.threshold ? away : .zero
  }
}
