import WireProtocol

/// How long to wait for a device's part of a layer.
public enum PartDeadline: Sendable, Hashable {
  /// By what the answer loses without it: where copies or parity make up for it, as long as `adaptive`
  /// would; where nothing does, until the device is known to be gone, and never longer than the second
  /// time.
  case consequence(Duration, Duration)
  /// By how late its parts usually are, within these bounds.
  case adaptive(Duration, Duration)
  /// Always this long.
  case fixed(Duration)

  /// By consequence, 30 ms to 2 s.
  public static let standard = PartDeadline.consequence(.milliseconds(30), .seconds(2))

  var policy: DeadlinePolicy {
    switch self {
    case .consequence(let floor, let bound): .consequence(floor: floor, bound: bound)
    case .adaptive(let floor, let ceiling): .adaptive(floor: floor, ceiling: ceiling)
    case .fixed(let wait): .fixed(wait)
    }
  }
}
