/// How long an exchange waits for a part of a peer, once one's own is ready.
package enum DeadlinePolicy: Sendable, Hashable {
  /// By what the answer loses without the part. Where copies or parity that have come make up for it,
  /// or the plan's failure table says that it costs nothing, as long as `adaptive` would wait, from
  /// the floor on. Where nothing does, until liveness says that its device is gone, and never longer
  /// than the bound.
  case consequence(floor: Duration, bound: Duration)
  /// Learned for each stage and peer from how late their parts usually are, between a floor and a
  /// ceiling; see `ArrivalBook`.
  case adaptive(floor: Duration, ceiling: Duration)
  /// Always this long; a peer that misses it is suspect and no longer waited for.
  case fixed(Duration)
  /// Always this long, in every exchange, whoever missed an earlier one: only heartbeats
  /// and wills say who is down. This is what the figure on timeouts of the RobustDiCE paper measures
  /// (Guo et al., Integration 2024, figure 3).
  case every(Duration)

  /// What is used unless something else is asked for: by consequence, 30 ms to 2 s.
  package static let standard = DeadlinePolicy.consequence(
    floor: .milliseconds(30), bound: .seconds(2))
  /// Learned lags alone, 30 ms to 1 s.
  package static let learned = DeadlinePolicy.adaptive(
    floor: .milliseconds(30), ceiling: .seconds(1))

  /// Whether a peer that misses a deadline is suspect.
  package var raisesSuspicion: Bool {
    if case .every = self { false } else { true }
  }

  /// Whether a part that nothing makes up for is waited for beyond what is learned.
  package var weighsConsequences: Bool {
    if case .consequence = self { true } else { false }
  }

  /// What a device that is gone costs one exchange at most: where its silence is
  /// noticed, less than the longest wait, which is for those that live.
  package var absence: Duration { weighsConsequences ? min(longest, .seconds(1)) : longest }

  /// The longest wait.
  package var longest: Duration {
    switch self {
    case .consequence(_, let bound): bound
    case .adaptive(_, let ceiling): ceiling
    case .fixed(let wait), .every(let wait): wait
    }
  }
}
