package import Foundations

/// How many frames a client has under way: as many as bring more answers a second, and no more. Knows no
/// clock.
///
/// It begins with one frame for each device that works by itself and tries one more for each, for as long
/// as that brings a twentieth more answers. Then it rests and tries again from time to time, and at once
/// when devices come or go. Answers that take half of what a frame may take make it smaller.
package struct FlightWindow: Sendable {
  /// The most frames, however small they are.
  static let largest = 256
  /// What more frames must bring, over one.
  static let gain = 1.05
  /// Rounds without a try.
  static let rest = 16
  /// The fewest answers that a rate is taken from.
  static let leastAnswers = 8

  /// Frames to have under way.
  package private(set) var size = 1
  private let most: Int
  private let longest: UInt64
  private var width = 1
  /// Answers since the size was set. The first of them belong to the size before it.
  private var answers = 0
  private var start = MonotonicTime.zero
  /// The size and the answers a nanosecond that a try has to beat.
  private var best: (size: Int, rate: Double)?
  private var resting = 0

  /// - Parameters:
  ///   - frameBytes: of one input, which is kept until it is answered.
  ///   - frameLimit: nanoseconds that a frame may take at most.
  package init(frameBytes: Int, frameLimit: UInt64) {
    most = min(max(WaitingMemory.frames / max(frameBytes, 1), 1), Self.largest)
    longest = frameLimit / 2
  }

  /// How many devices answer frames by themselves; 1 where all work on each frame.
  package mutating func follow(_ width: Int) {
    let width = max(width, 1)
    guard width != self.width else { return }
    let size = (self.size * width + self.width - 1) / self.width
    self.width = width
    set(size)
    best = nil
    resting = 0
  }

  /// A frame was answered.
  ///
  /// - Parameter latency: nanoseconds since it was submitted.
  package mutating func answered(latency: UInt64, at now: MonotonicTime) {
    guard latency <= longest else {
      set(size - width)
      best = nil
      resting = Self.rest
      return
    }
    answers += 1
    if answers == size { start = now }
    let counted = max(2 * size, Self.leastAnswers)
    guard answers == size + counted else { return }
    finish(rate: Double(counted) / Double(max(now.nanoseconds(since: start), 1)))
  }

  private mutating func finish(rate: Double) {
    if resting > 0 {
      resting -= 1
      guard resting == 0 else { return set(size) }
    } else if let best, rate < best.rate * Self.gain {
      resting = Self.rest
      return set(best.size)
    }
    best = (size, rate)
    set(size + width)
  }

  private mutating func set(_ size: Int) {
    self.size = min(max(size, width), most)
    answers = 0
  }
}
