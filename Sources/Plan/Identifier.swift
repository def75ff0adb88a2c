/// Names that may stand in a topic: `[a-z0-9_-]{1,32}`.
public enum Identifier {
  /// The longest identifier.
  public static let maximumLength = 32

  /// Whether a name may stand in a topic as it is.
  public static func isValid(_ name: some StringProtocol) -> Bool {
    (1...maximumLength).contains(name.utf8.count) && name.utf8.allSatisfy(isAllowed)
  }

  /// An identifier that resembles a model's name for a layer and differs from all in `taken`.
  ///
  /// `/features/features.0/Conv` becomes `features_features_0_conv`; a name that is too long keeps
  /// its end, which is the part that tells layers apart.
  public static func make(from name: String, avoiding taken: Set<String>) -> String {
    var letters: [UInt8] = []
    for byte in name.utf8 {
      let lower = (65...90).contains(byte) ? byte + 32 : byte
      if isAllowed(lower) {
        letters.append(lower)
      } else if let last = letters.last, last != 95 {
        letters.append(95)
      }
    }
    while letters.last == 95 { letters.removeLast() }
    var base = String(decoding: letters.suffix(maximumLength), as: UTF8.self)
    while base.first == "_" { base.removeFirst() }
    if base.isEmpty { base = "layer" }
    var candidate = base
    var number = 2
    while taken.contains(candidate) {
      let suffix = "_\(number)"
      candidate = base.suffix(maximumLength - suffix.count) + suffix
      number += 1
    }
    return candidate
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    (97...122).contains(byte) || (48...57).contains(byte) || byte == 95 || byte == 45
  }
}
