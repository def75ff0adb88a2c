package import Foundations

/// Notices when this process did not run although it wanted to: it was stopped, or others had the
/// processor. What it did not hear meanwhile is nobody's fault.
package struct Attention: Sendable {
  /// Less than this is not worth a correction, in nanoseconds.
  package static let threshold: UInt64 = 5_000_000

  private var last: MonotonicTime
  private var lastProcessor: UInt64

  /// Begins to watch.
  ///
  /// - Parameter processor: nanoseconds of processor time that the thread has had.
  package init(now: MonotonicTime, processor: UInt64) {
    last = now
    lastProcessor = processor
  }

  /// How long the process was away since the last call, in nanoseconds; 0 for less than 5 ms.
  ///
  /// - Parameters:
  ///   - asleep: nanoseconds that the thread slept because it had nothing to do.
  ///   - processor: nanoseconds of processor time that the thread has had.
  package mutating func away(
    now: MonotonicTime, asleep: UInt64, processor: UInt64
  ) -> UInt64 {
    let passed = now.nanoseconds(since: last)
    let busy = processor - min(processor, lastProcessor)
    last = now
    lastProcessor = processor
    let accounted = asleep + busy
    let away = passed > accounted ? passed - accounted : 0
    return away >= Self.threshold ? away : 0
  }
}
