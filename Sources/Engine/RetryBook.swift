package import Foundations

/// Frames whose answers were not good enough, and when each is asked for again. Knows no clock.
///
/// A frame is asked for again when enough devices are there, but never sooner than a pause after its
/// last answer; the pause doubles each time, so that a device which lives and does not deliver costs
/// little. At its end a frame gets the answer that it has.
package struct RetryBook: Sendable {
  private struct Held {
    var isWaiting: Bool
    var notBefore: MonotonicTime
    var end: MonotonicTime
    var pause: Duration
  }

  /// From the first answer to the next question.
  package static let firstPause = Duration.milliseconds(100)
  /// The longest pause.
  package static let longestPause = Duration.seconds(2)

  private var frames: [Int: Held] = [:]

  /// No frames.
  package init() {}

  /// Whether any frame waits to be asked for again.
  package var isWaiting: Bool { frames.values.contains(where: \.isWaiting) }

  /// Takes in a frame whose answer has come and is not good enough.
  ///
  /// - Parameter end: when it must be answered; the first one given counts.
  /// - Returns: false if that has come: give the answer.
  package mutating func hold(_ ticket: Int, until end: MonotonicTime, now: MonotonicTime) -> Bool {
    var frame =
      frames[ticket]
      ?? Held(isWaiting: false, notBefore: now, end: end, pause: RetryBook.firstPause)
    guard now < frame.end else {
      frames[ticket] = nil
      return false
    }
    frame.isWaiting = true
    frame.notBefore = now + frame.pause
    frame.pause = min(frame.pause * 2, RetryBook.longestPause)
    frames[ticket] = frame
    return true
  }

  /// A frame that has waited to its end, the oldest first. It is forgotten.
  package mutating func takeExpired(now: MonotonicTime) -> Int? {
    let ticket = frames.filter { $0.value.isWaiting && $0.value.end <= now }.keys.min()
    if let ticket { frames[ticket] = nil }
    return ticket
  }

  /// The frames to ask for again now, the oldest first. They wait no longer.
  ///
  /// - Parameter isEnough: whether the devices that are there would do.
  package mutating func takeDue(now: MonotonicTime, isEnough: Bool) -> [Int] {
    guard isEnough else { return [] }
    let due = frames.filter { $0.value.isWaiting && $0.value.notBefore <= now }.keys.sorted()
    for ticket in due { frames[ticket]?.isWaiting = false }
    return due
  }

  /// When to look again, unless a device's state changes before.
  package func nextLook(isEnough: Bool) -> MonotonicTime {
    frames.values.lazy.filter(\.isWaiting).map { isEnough ? min($0.notBefore, $0.end) : $0.end }
      .min() ?? .distantFuture
  }

  /// The frame is answered, or given up.
  package mutating func forget(_ ticket: Int) { frames[ticket] = nil }
}
