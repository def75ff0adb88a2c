public import Plan

/// The attendance of a frame travels with its input, so that all devices agree on it.
extension Attendance {
  /// Reads `text`; nil unless it has one letter for each of `devices` devices.
  public init?(text: String, devices: Int) {
    guard text.utf8.count == devices else { return nil }
    var roles: [Role] = []
    for byte in text.utf8 {
      guard let role = Role(letter: byte) else { return nil }
      roles.append(role)
    }
    self.init(roles)
  }

  /// One letter a device: `a` for awaited, `p` for probed or `-` for absent.
  public var text: String { String(decoding: roles.map(\.letter), as: UTF8.self) }
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
