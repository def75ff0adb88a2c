/// What replicas and parity do while their primaries are there.
package enum Replicas: String, Sendable, Hashable, CaseIterable {
  /// Nothing: others stand in from the first frame on that knows of a loss.
  case standby
  /// They are always computed and sent, so that not even the frame in which a device dies lacks what
  /// others hold.
  case active
}

/// Who takes part in one frame. Everybody who computes or gathers it knows the same attendance, so
/// that all agree on which copies and which parity blocks are used.
package struct Attendance: Sendable, Hashable {
  /// One device's part in a frame.
  package enum Role: Sendable, CaseIterable {
    /// Computes, and others wait for it up to their deadline.
    case awaited
    /// Suspect: computes its own neurons to show that it is back, and what it sends is used where
    /// nobody stands in, but nobody waits.
    case probed
    /// Not there: does not compute this frame.
    case absent
  }

  /// By device number.
  package var roles: [Role]
  /// Whether replicas and parity are computed whoever is there.
  package var replicas: Replicas

  /// Roles by device number.
  package init(_ roles: [Role], replicas: Replicas = .standby) {
    self.roles = roles
    self.replicas = replicas
  }

  /// Each device either awaited or absent.
  package init(alive: [Bool], replicas: Replicas = .standby) {
    self.init(alive.map { $0 ? .awaited : .absent }, replicas: replicas)
  }

  /// All of `devices` devices.
  package static func everyone(_ devices: Int, replicas: Replicas = .standby) -> Attendance {
    Attendance([Role](repeating: .awaited, count: devices), replicas: replicas)
  }

  /// A device's role.
  package subscript(device: Int) -> Role { roles[device] }

  /// Whether a device is counted on.
  package func awaits(_ device: Int) -> Bool { roles[device] == .awaited }
}
