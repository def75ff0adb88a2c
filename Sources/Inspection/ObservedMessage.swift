public import TensorCore

/// A message as it came from the broker, before anybody looked into it.
public struct ObservedMessage: Sendable {
  /// The topic that it was published to.
  public var topic: String
  /// The bytes of its payload.
  public var payload: [UInt8]
  /// Whether the broker had kept it from before the subscription.
  public var isRetained: Bool
  /// What is left of its life in seconds, where the publisher gave it one.
  public var expirySeconds: UInt32?
  /// When it came, on this machine's monotonic clock.
  public var time: MonotonicTime
  /// When it came, in milliseconds since 1970 on this machine's calendar clock.
  public var unixMilliseconds: UInt64

  /// A message that came now, unless the times say otherwise.
  public init(
    topic: String, payload: [UInt8], isRetained: Bool = false, expirySeconds: UInt32? = nil,
    time: MonotonicTime, unixMilliseconds: UInt64
  ) {
    self.topic = topic
    self.payload = payload
    self.isRetained = isRetained
    self.expirySeconds = expirySeconds
    self.time = time
    self.unixMilliseconds = unixMilliseconds
  }
}
