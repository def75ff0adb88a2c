/// What a device or a client publishes at its start on topics of its own, to see whether the broker
/// lets it: `martlet-check` and sixteen hexadecimal digits, as `MQTTClient.verifyPermission` makes them,
/// with zeros behind them where `MQTTClient.largestPayload` tries how much the broker takes. It means
/// nothing to anybody else, and is no flaw on any topic.
package enum PermissionCheck {
  private static let prefix = Array("martlet-check".utf8)
  private static let digits = 16

  /// Whether a payload is one.
  package static func isOne(_ payload: some Collection<UInt8>) -> Bool {
    guard payload.count >= prefix.count + digits, payload.starts(with: prefix) else { return false }
    return payload.dropFirst(prefix.count + digits).prefix(1).allSatisfy { $0 == 0 }
  }
}
