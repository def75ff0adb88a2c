/// How long an exchange waits for a part of a peer, once one's own is ready.
public enum DeadlinePolicy: Sendable, Hashable {
  /// Learned for each stage and peer from how late their parts usually are, between a floor and a
  /// ceiling in nanoseconds; see `ArrivalBook`.
  case adaptive(floor: UInt64, ceiling: UInt64)
  /// Always this many nanoseconds; a peer that misses it is suspect and no longer waited for.
  case fixed(UInt64)
  /// Always this many nanoseconds, in every exchange, whoever missed an earlier one: only heartbeats
  /// and wills say who is down. This is what the figure on timeouts of the RobustDiCE paper measures
  /// (Guo et al., Integration 2024, figure 3).
  case every(UInt64)

  /// What is used unless something else is asked for: 30 ms to 1 s.
  public static let standard = DeadlinePolicy.adaptive(floor: 30_000_000, ceiling: 1_000_000_000)

  /// Whether a peer that misses a deadline is suspect.
  public var raisesSuspicion: Bool {
    if case .every = self { false } else { true }
  }

  /// The longest wait, in nanoseconds.
  public var longest: UInt64 {
    switch self {
    case .adaptive(_, let ceiling): ceiling
    case .fixed(let wait), .every(let wait): wait
    }
  }
}
