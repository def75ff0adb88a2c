package import Plan

/// The attendance of a frame travels with its input, so that all devices agree on it.
extension Attendance {
  private static let active = "active,"

  /// Reads `text`; nil unless it has one letter for each of `devices` devices.
  package init?(text: some StringProtocol, devices: Int) {
    let isActive = text.hasPrefix(Self.active)
    let letters = text.utf8.dropFirst(isActive ? Self.active.utf8.count : 0)
    guard letters.count == devices else { return nil }
    var roles: [Role] = []
    for byte in letters {
      guard let role = Role(letter: byte) else { return nil }
      roles.append(role)
    }
    self.init(roles, replicas: isActive ? .active : .standby)
  }

  /// One letter a device: `a` for awaited, `p` for probed or `-` for absent; `active,` before them
  /// says that replicas are active.
  package var text: String {
    (replicas == .active ? Self.active : "")
      + String(decoding: roles.map(\.letter), as: UTF8.self)
  }
}

/// What a client says with a frame: who takes part, and which of its frames are still of use.
package struct InputNote: Sendable, Hashable {
  /// Who takes part.
  package var attendance: Attendance
  /// The oldest frame that the client still waits for; older ones may be dropped. Zero for all.
  package var oldest: UInt64

  /// Makes a note.
  package init(attendance: Attendance, oldest: UInt64 = 0) {
    self.attendance = attendance
    self.oldest = oldest
  }

  /// Reads `text`; nil for anything else.
  package init?(text: String, devices: Int) {
    let fields = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = fields.first, let attendance = Attendance(text: first, devices: devices)
    else { return nil }
    self.init(attendance: attendance)
    guard fields.count > 1 else { return }
    guard let oldest = UInt64(fields[1]), oldest <= Epoch.maximum else { return nil }
    self.oldest = oldest
  }

  /// The attendance, then a colon and the oldest frame.
  package var text: String { "\(attendance.text):\(oldest)" }
}

extension Attendance.Role {
  fileprivate var letter: UInt8 {
    switch self {
    case .awaited: UInt8(ascii: "a")
    case .probed: UInt8(ascii: "p")
    case .absent: UInt8(ascii: "-")
    }
  }

  fileprivate init?(letter: UInt8) {
    switch letter {
    case UInt8(ascii: "a"): self = .awaited
    case UInt8(ascii: "p"): self = .probed
    case UInt8(ascii: "-"): self = .absent
    default: return nil
    }
  }
}
