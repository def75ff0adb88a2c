package import Foundations

/// The retained state of a device, and its will. Topic `presence/<device>`.
package struct Presence: WireMessage, Equatable {
  /// What a device says of itself, or its will says for it.
  package enum State: String, Sendable, Codable, CaseIterable {
    /// Connected, not yet able to work.
    case starting
    /// Working; heartbeats follow.
    case ready
    /// Finishing what it has.
    case draining
    /// Gone, on purpose.
    case offline
    /// Gone: published by the broker as the will.
    case lost

    /// Whether the device is no longer there.
    package var isGone: Bool { self == .offline || self == .lost }
  }

  /// The state.
  package var state: State
  /// The epoch of the run that this belongs to.
  package var epoch: UInt64
  /// Milliseconds between two heartbeats, 10 to 60,000.
  package var heartbeatMilliseconds: Int
  /// The version of the program.
  package var version: String

  /// A device's own word of its state.
  package init(state: State, epoch: UInt64, heartbeatMilliseconds: Int, version: String) {
    self.state = state
    self.epoch = epoch
    self.heartbeatMilliseconds = heartbeatMilliseconds
    self.version = version
  }

  /// The same device and epoch in another state: with `lost`, its will.
  package func with(_ state: State) -> Presence {
    var copy = self
    copy.state = state
    return copy
  }

  /// For how long the broker keeps it; a device that is there refreshes it.
  package static let expirySeconds: UInt32 = 180

  /// The most bytes of a payload.
  package static let maximumBytes = 4096

  /// Checks ranges and lengths; see `WireMessage`.
  package func check() throws(MartletError) {
    try Field.require(epoch > 0, "epoch", "\(epoch)")
    try Field.number(epoch, "epoch")
    try Field.require(
      (10...60_000).contains(heartbeatMilliseconds), "heartbeat_ms", "\(heartbeatMilliseconds)")
    try Field.text(version, "version", atMost: 64)
  }

  enum CodingKeys: String, CodingKey {
    case state, epoch
    case heartbeatMilliseconds = "heartbeat_ms"
    case version
  }
}
