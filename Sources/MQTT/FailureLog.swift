package import Foundations

/// Says which of a long series of failures are worth a line in the log: each that differs from the one
/// before, and the same one after ten seconds and then once a minute, with how often it was tried.
package struct FailureLog: Sendable {
  private static let first = Duration.seconds(10)
  private static let later = Duration.seconds(60)

  private var text: String?
  private var attempts = 0
  private var due = MonotonicTime.zero
  private var pause = FailureLog.first

  /// Nothing has failed.
  package init() {}

  /// Something works again: the next failure is news.
  package mutating func reset() { text = nil }

  /// Another failure.
  ///
  /// - Returns: the line to log, if one is due.
  package mutating func line(for failure: MartletError, at now: MonotonicTime) -> String? {
    let next = failure.description
    guard text == next else {
      text = next
      attempts = 1
      pause = Self.first
      due = now + pause
      return next
    }
    attempts += 1
    guard now >= due else { return nil }
    pause = Self.later
    due = now + pause
    return "\(next); tried \(attempts) times and goes on"
  }
}
