/// Tells "another client has my id" from ordinary losses.
///
/// MQTT 5 has a reason code for it, but mosquitto 2.0.11 closes the older connection without a
/// word. Two clients that throw each other out show a pattern nothing else shows for long: each new
/// connection is accepted at the first try and closed by the broker, without a reason, soon after.
/// A broker that crashes in a loop refuses some attempts in between; a bad network loses more than
/// it accepts. Of two such clients the older reaches the limit first and leaves the id to the other.
package struct TakeoverDetector {
  /// The reason code "session taken over".
  package static let takenOverReason: Int32 = 142
  private static let limit = 4
  private static let briefly = Duration.seconds(5)

  private var suspicions = 0

  /// Knows of no losses.
  package init() {}

  /// An attempt to connect failed.
  package mutating func attemptFailed() { suspicions = 0 }

  /// A connection ended after `lifetime`. Returns whether another client is to blame.
  ///
  /// - Parameters:
  ///   - reason: the broker's reason code, if it gave one.
  ///   - deliberate: this client cut the connection itself.
  package mutating func lost(lifetime: Duration, reason: Int32?, deliberate: Bool) -> Bool {
    if reason == Self.takenOverReason { return true }
    guard reason == nil, !deliberate, lifetime < Self.briefly else {
      suspicions = 0
      return false
    }
    suspicions += 1
    return suspicions >= Self.limit
  }
}
