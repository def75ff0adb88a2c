/// How long an exchange waits for a part of a peer, once one's own is ready.
package enum DeadlinePolicy: Sendable, Hashable {
  /// By what the answer loses without the part. Where copies or parity that have come make up for it,
  /// or the plan's failure table says that it costs nothing, as long as `adaptive` would wait, from
  /// the floor on. Where nothing does, until liveness says that its device is gone, and never longer
  /// than the bound; both in nanoseconds.
  case consequence(floor: UInt64, bound: UInt64)
  /// Learned for each stage and peer from how late their parts usually are, between a floor and a
  /// ceiling in nanoseconds; see `ArrivalBook`.
  case adaptive(floor: UInt64, ceiling: UInt64)
  /// Always this many nanoseconds; a peer that misses it is suspect and no longer waited for.
  case fixed(UInt64)
  /// Always this many nanoseconds, in every exchange, whoever missed an earlier one: only heartbeats
  /// and wills say who is down. This is what the figure on timeouts of the RobustDiCE paper measures
  /// (Guo et al., Integration 2024, figure 3).
  case every(UInt64)

  /// What is used unless something else is asked for: by consequence, 30 ms to 2 s.
  package static let standard = DeadlinePolicy.consequence(
    floor: 30_000_000, bound: 2_000_000_000)
  /// Learned lags alone, 30 ms to 1 s.
  package static let learned = DeadlinePolicy.adaptive(floor: 30_000_000, ceiling: 1_000_000_000)

  /// Whether a peer that misses a deadline is suspect.
  package var raisesSuspicion: Bool {
    if case .every = self { false } else { true }
  }

  /// Whether a part that nothing makes up for is waited for beyond what is learned.
  package var weighsConsequences: Bool {
    if case .consequence = self { true } else { false }
  }

  /// What a device that is gone costs one exchange at most, in nanoseconds: where its silence is
  /// noticed, less than the longest wait, which is for those that live.
  package var absence: UInt64 { weighsConsequences ? min(longest, 1_000_000_000) : longest }

  /// The longest wait, in nanoseconds.
  package var longest: UInt64 {
    switch self {
    case .consequence(_, let bound): bound
    case .adaptive(_, let ceiling): ceiling
    case .fixed(let wait), .every(let wait): wait
    }
  }
}
