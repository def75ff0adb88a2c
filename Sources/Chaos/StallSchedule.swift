import Foundations

/// Which device stands still when, and for how long: a pure function of the seed.
///
/// Each device has stalls of its own, with pauses between them; those of different devices may overlap.
package struct StallSchedule: Sendable {
  /// One device standing still.
  package struct Stall: Sendable, Hashable {
    /// The device's number.
    package var device: Int
    /// When it begins, from the start.
    package var start: Duration
    /// How long it lasts.
    package var length: Duration
  }

  private let lengths: ClosedRange<Int>
  private let pauses: ClosedRange<Int>
  private var random: SeededGenerator
  /// By device: its next stall.
  private var upcoming: [Stall] = []

  /// A schedule without an end.
  ///
  /// - Parameters:
  ///   - devices: how many there are, at least 1.
  ///   - lengths: of a stall, in milliseconds.
  ///   - pauses: between two stalls of one device, in milliseconds.
  package init(
    seed: UInt64, devices: Int, lengths: ClosedRange<Int>, pauses: ClosedRange<Int>
  ) {
    precondition(devices >= 1 && lengths.lowerBound >= 0 && pauses.lowerBound >= 0, "nothing to do")
    self.lengths = lengths
    self.pauses = pauses
    random = SeededGenerator(seed: seed)
    for device in 0..<devices { upcoming.append(draw(device, after: .zero)) }
  }

  /// The stall that begins next.
  package mutating func next() -> Stall {
    let index = upcoming.indices.min { upcoming[$0].start < upcoming[$1].start } ?? 0
    let stall = upcoming[index]
    upcoming[index] = draw(stall.device, after: stall.start + stall.length)
    return stall
  }

  private mutating func draw(_ device: Int, after end: Duration) -> Stall {
    let pause = Int.random(in: pauses, using: &random)
    return Stall(
      device: device, start: end + .milliseconds(pause),
      length: .milliseconds(Int.random(in: lengths, using: &random)))
  }
}
