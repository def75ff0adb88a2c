/// The number that tells one run of a device from the next.
///
/// It grows with every start, so that a message, a will or a retained presence of an earlier run is
/// recognised whatever order the broker delivers them in.
package enum Epoch {
  /// The largest epoch that is accepted: what every JSON reader holds exactly (2^53 - 1).
  package static let maximum: UInt64 = (1 << 53) - 1

  /// How far an epoch may be ahead of the clock, in milliseconds: ten years. A board whose clock is
  /// some years slow still knows its peers; a forged or damaged number is beyond that.
  static let tolerance: UInt64 = 3652 * 86_400_000
  /// A clock before 2024 has not been set, and says nothing.
  private static let unset: UInt64 = 1_704_067_200_000

  /// The latest epoch that can be right, by a wall clock. Presence with a later one is refused.
  package static func latest(unixMilliseconds: UInt64) -> UInt64 {
    guard unixMilliseconds >= unset else { return maximum }
    return min(maximum, unixMilliseconds + min(tolerance, maximum - min(unixMilliseconds, maximum)))
  }

  /// The epoch of a start: `max(saved + 1, unix milliseconds)`.
  ///
  /// A device without a battery-backed clock still grows its epoch because the last one is saved; a
  /// device that lost its storage still does because time has passed.
  /// - Parameters:
  ///   - saved: the epoch of the last start, or nil when none is known.
  ///   - unixMilliseconds: the wall clock, which may be wrong.
  package static func next(saved: UInt64?, unixMilliseconds: UInt64) -> UInt64 {
    let following = saved.map { $0 < maximum ? $0 + 1 : maximum } ?? 1
    return max(following, min(unixMilliseconds, maximum))
  }
}
