/// Which devices take part in one frame, as its client sees them; travels with the input so that all
/// devices agree on it.
public struct FrameRoles: Sendable, Hashable {
  /// One device's part in a frame.
  public enum Role: UInt8, Sendable {
    /// Computes, and others wait for it up to their deadline.
    case awaited = 97  // a
    /// Suspect: computes, and its parts are used if they come in time, but nobody waits.
    case probed = 112  // p
    /// Not there: does not compute this frame.
    case absent = 45  // -
  }

  /// By device number.
  public var roles: [Role]

  /// Roles by device number.
  public init(_ roles: [Role]) { self.roles = roles }

  /// Reads `text`; nil unless it has one letter for each of `devices` devices.
  public init?(text: String, devices: Int) {
    guard text.utf8.count == devices else { return nil }
    var roles: [Role] = []
    for byte in text.utf8 {
      guard let role = Role(rawValue: byte) else { return nil }
      roles.append(role)
    }
    self.roles = roles
  }

  /// One letter a device: `a`, `p` or `-`.
  public var text: String { String(decoding: roles.map(\.rawValue), as: UTF8.self) }
}
