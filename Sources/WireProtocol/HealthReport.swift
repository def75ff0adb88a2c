package import Foundations

/// The answer of `health/check`, as gRPC's health protocol has it.
package struct HealthReport: WireMessage, Equatable {
  /// Whether calls and frames are taken.
  package enum Status: String, Codable, Sendable {
    /// They are.
    case serving = "SERVING"
    /// They are not: it is leaving.
    case notServing = "NOT_SERVING"
  }

  /// Whether calls and frames are taken.
  package var status: Status
  /// The epoch of the run, as in presence.
  package var epoch: UInt64

  /// A report.
  package init(status: Status, epoch: UInt64) {
    self.status = status
    self.epoch = epoch
  }

  /// The most bytes of a payload.
  package static let maximumBytes = 4096

  /// Checks ranges; see `WireMessage`.
  package func check() throws(MartletError) { try Field.number(epoch, "epoch") }
}

/// What `health/check` is asked: about one service, or about all of them.
package struct HealthRequest: WireMessage, Equatable {
  /// The service, such as `device`; absent or empty for the whole.
  package var service: String?

  /// About the whole.
  package init() {}

  /// The most bytes of a payload.
  package static let maximumBytes = 4096

  /// Checks lengths; see `WireMessage`.
  package func check() throws(MartletError) { try Field.text(service ?? "", "service", atMost: 64) }
}
