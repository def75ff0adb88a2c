/// Who takes part in one frame. Everybody who computes or gathers it knows the same attendance, so
/// that all agree on which copies and which parity blocks are used.
public struct Attendance: Sendable, Hashable {
  /// One device's part in a frame.
  public enum Role: Sendable, CaseIterable {
    /// Computes, and others wait for it up to their deadline.
    case awaited
    /// Suspect: computes, and what it sends is used where nobody stands in, but nobody waits.
    case probed
    /// Not there: does not compute this frame.
    case absent
  }

  /// By device number.
  public var roles: [Role]

  /// Roles by device number.
  public init(_ roles: [Role]) { self.roles = roles }

  /// Each device either awaited or absent.
  public init(alive: [Bool]) { self.init(alive.map { $0 ? .awaited : .absent }) }

  /// All of `devices` devices.
  public static func everyone(_ devices: Int) -> Attendance {
    Attendance([Role](repeating: .awaited, count: devices))
  }

  /// A device's role.
  public subscript(device: Int) -> Role { roles[device] }

  /// Whether a device is counted on.
  public func awaits(_ device: Int) -> Bool { roles[device] == .awaited }
}
