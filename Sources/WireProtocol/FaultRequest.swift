package import Foundations

/// What `device/fault` is asked to do to its own device.
package struct FaultRequest: WireMessage, Equatable {
  /// A way to fail.
  package enum Kind: String, Codable, Sendable, CaseIterable {
    /// Compute nothing for `for_ms`.
    case stall
    /// Leave out `fraction` of the parts for `for_ms`.
    case drop
    /// Send `fraction` of the parts later for `for_ms`, by `distribution`.
    case delay
    /// Damage `fraction` of the parts for `for_ms`.
    case corrupt
    /// Cut the connection without a goodbye and stay away for `for_ms`.
    case disconnect
    /// End the process without a goodbye, with status `code`.
    case exit
    /// End whatever `drop`, `delay` and `corrupt` began.
    case clear

    /// Whether it is about parts on their way, which `FaultInjector` decides about; the others are
    /// about the whole device.
    package var isAboutParts: Bool {
      switch self {
      case .drop, .delay, .corrupt, .clear: true
      case .stall, .disconnect, .exit: false
      }
    }
  }

  /// How delays are drawn.
  package enum Distribution: String, Codable, Sendable, CaseIterable {
    /// Always `mean_ms`.
    case fixed
    /// Between `mean_ms - spread_ms` and `mean_ms + spread_ms`.
    case uniform
    /// Exponential with mean `mean_ms`.
    case exponential
    /// Normal with mean `mean_ms` and standard deviation `spread_ms`; below zero means none.
    case normal
  }

  /// Where a part is damaged.
  package enum Place: String, Codable, Sendable, CaseIterable {
    /// In the length and the header: receivers notice.
    case header
    /// In the elements: receivers compute with wrong numbers.
    case data
    /// Anywhere.
    case any
  }

  /// What happens.
  package var kind: Kind
  /// For how long, in milliseconds, up to 600,000; default 1,000.
  package var forMilliseconds: Int?
  /// The fraction of parts, 0 to 1; default 1.
  package var fraction: Double?
  /// Decides which parts; drawn and reported when absent.
  package var seed: UInt64?
  /// Default `fixed`.
  package var distribution: Distribution?
  /// Milliseconds, 0 to 60,000.
  package var meanMilliseconds: Double?
  /// Milliseconds, 0 to 60,000; default 0.
  package var spreadMilliseconds: Double?
  /// Default `any`.
  package var place: Place?
  /// Whether a stalled device also stops its heartbeats; default false.
  package var silent: Bool?
  /// The status of `exit`, 0 to 255; default 1.
  package var code: Int?

  /// A request for one kind, everything else at its default.
  package init(
    _ kind: Kind, forMilliseconds: Int? = nil, fraction: Double? = nil,
    distribution: Distribution? = nil, meanMilliseconds: Double? = nil, code: Int? = nil
  ) {
    self.kind = kind
    self.forMilliseconds = forMilliseconds
    self.fraction = fraction
    self.distribution = distribution
    self.meanMilliseconds = meanMilliseconds
    self.code = code
  }

  /// The most bytes of a payload.
  package static let maximumBytes = 4096

  /// How long, in nanoseconds.
  package var nanoseconds: UInt64 { UInt64(max(0, forMilliseconds ?? 1000)) * 1_000_000 }

  /// Checks ranges; see `WireMessage`.
  package func check() throws(MartletError) {
    try Field.require(
      (1...600_000).contains(forMilliseconds ?? 1000), "for_ms", "\(forMilliseconds ?? 0)")
    try Field.require((0...1).contains(fraction ?? 1), "fraction", "\(fraction ?? 0)")
    for (name, value) in [("mean_ms", meanMilliseconds), ("spread_ms", spreadMilliseconds)] {
      try Field.require((0...60_000).contains(value ?? 0), name, "\(value ?? 0)")
    }
    if kind == .delay {
      try Field.require(meanMilliseconds != nil, "mean_ms", "missing")
    }
    try Field.require((0...255).contains(code ?? 1), "code", "\(code ?? 0)")
  }

  enum CodingKeys: String, CodingKey {
    case kind
    case forMilliseconds = "for_ms"
    case fraction, seed, distribution
    case meanMilliseconds = "mean_ms"
    case spreadMilliseconds = "spread_ms"
    case place, silent, code
  }
}
