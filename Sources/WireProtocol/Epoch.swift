/// The number that tells one run of a device from the next.
///
/// It grows with every start, so that a message, a will or a retained presence of an earlier run is
/// recognised whatever order the broker delivers them in.
public enum Epoch {
  /// The largest epoch that is accepted: what every JSON reader holds exactly (2^53 - 1).
  public static let maximum: UInt64 = (1 << 53) - 1

  /// The epoch of a start: `max(saved + 1, unix milliseconds)`.
  ///
  /// A device without a battery-backed clock still grows its epoch because the last one is saved; a
  /// device that lost its storage still does because time has passed.
  /// - Parameters:
  ///   - saved: the epoch of the last start, or nil when none is known.
  ///   - unixMilliseconds: the wall clock, which may be wrong.
  public static func next(saved: UInt64?, unixMilliseconds: UInt64) -> UInt64 {
    let following = saved.map { $0 < maximum ? $0 + 1 : maximum } ?? 1
    return max(following, min(unixMilliseconds, maximum))
  }
}
