/// Tells new messages from repeated ones by their numbers, in any order, in bounded memory.
///
/// Remembers the last 1024 numbers below the highest; what is older counts as repeated, because a
/// broker does not hold a message back for that long.
package struct SequenceTracker: Sendable, Equatable {
  /// Messages with a number of their own.
  package private(set) var received = 0
  /// Messages whose number had been there already.
  package private(set) var repeated = 0
  /// Messages that came after one with a higher number.
  package private(set) var reordered = 0
  /// Messages with a number so far ahead that it cannot be right; they are not used.
  package private(set) var implausible = 0

  private static let window: UInt64 = 1024
  private static let farthest: UInt64 = 1 << 20
  private var first: UInt64?
  private var highest: UInt64 = 0
  /// One bit for each of the last numbers, at the number modulo the window.
  private var seen = [UInt64](repeating: 0, count: Int(window / 64))

  /// Nothing has come yet.
  package init() {}

  /// Whether the message with this number is to be used.
  package mutating func insert(_ number: UInt64) -> Bool {
    guard let first else {
      self.first = number
      highest = number
      mark(number)
      return true
    }
    if number > highest {
      guard number - highest <= SequenceTracker.farthest else {
        implausible += 1
        return false
      }
      if number - highest >= SequenceTracker.window {
        seen = [UInt64](repeating: 0, count: seen.count)
      } else {
        for passed in highest + 1...number { clear(passed) }
      }
      highest = number
      mark(number)
      return true
    }
    guard highest - number < SequenceTracker.window, !isMarked(number) else {
      repeated += 1
      return false
    }
    self.first = min(first, number)
    reordered += 1
    mark(number)
    return true
  }

  /// Numbers between the lowest and the highest that never came.
  package var missing: Int {
    guard let first else { return 0 }
    return max(0, Int(highest - first) + 1 - received)
  }

  private mutating func mark(_ number: UInt64) {
    received += 1
    let bit = number % SequenceTracker.window
    seen[Int(bit / 64)] |= 1 << (bit % 64)
  }

  private mutating func clear(_ number: UInt64) {
    let bit = number % SequenceTracker.window
    seen[Int(bit / 64)] &= ~(1 << (bit % 64))
  }

  private func isMarked(_ number: UInt64) -> Bool {
    let bit = number % SequenceTracker.window
    return seen[Int(bit / 64)] & 1 << (bit % 64) != 0
  }
}

extension SequenceTracker {
  var figures: FlightReport.Sequence {
    FlightReport.Sequence(
      received: received, missing: missing, repeated: repeated, reordered: reordered,
      implausible: implausible)
  }
}
