/// Names that may stand between two slashes of a topic: 1 to 32 of `a`-`z`, `0`-`9`, `_` and `-`.
package enum Identifier {
  /// The most bytes an identifier may have.
  package static let maximumLength = 32

  /// Whether `text` may be used in a topic as it is.
  package static func isValid(_ text: some StringProtocol) -> Bool { isValid(bytes: text.utf8) }

  /// The same for UTF-8 bytes.
  package static func isValid(bytes: some Collection<UInt8>) -> Bool {
    var length = 0
    for byte in bytes {
      length += 1
      guard length <= maximumLength, isAllowed(byte) else { return false }
    }
    return length > 0
  }

  /// Refuses a name that a topic cannot carry.
  ///
  /// - Parameter what: what is being named, for the message: "device", "client".
  /// - Throws: `MartletError.Code.invalidArgument`.
  package static func check(_ text: String, what: String) throws(MartletError) {
    guard isValid(text) else {
      throw MartletError(
        .invalidArgument, "this is not a usable name for a \(what)",
        context: [what: String(text.prefix(64))],
        hint: "use 1 to 32 of the characters a-z, 0-9, _ and -")
    }
  }

  /// Turns any name, such as the ONNX name `/features/features.0/Conv`, into an identifier that
  /// is not in `taken`. The same arguments always give the same identifier, on every device.
  ///
  /// Letters become lower case and every run of other characters one `-`. A name that is too long
  /// keeps its end, which tells layers apart, behind a hash of the whole.
  package static func make(from name: String, avoiding taken: Set<String> = []) -> String {
    var bytes: [UInt8] = []
    for byte in name.utf8 {
      let lower = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte + 32 : byte
      if lower != dash, isAllowed(lower) {
        bytes.append(lower)
      } else if bytes.last != dash, !bytes.isEmpty {
        bytes.append(dash)
      }
    }
    while bytes.last == dash { bytes.removeLast() }
    if bytes.isEmpty { bytes = Array("x".utf8) }
    if bytes.count > maximumLength {
      bytes = hexadecimal(fnv1a(name)) + [dash] + bytes.suffix(maximumLength - 9)
    }
    let base = String(decoding: bytes, as: UTF8.self)
    guard taken.contains(base) else { return base }
    // At most `taken.count` numbers can be in use, so the search ends.
    var number = 2
    while true {
      let ending = Array("-\(number)".utf8)
      let candidate = String(
        decoding: bytes.prefix(maximumLength - ending.count) + ending, as: UTF8.self)
      if !taken.contains(candidate) { return candidate }
      number += 1
    }
  }

  private static let dash = UInt8(ascii: "-")

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "_"), dash:
      true
    default:
      false
    }
  }

  /// 32-bit FNV-1a: stable across processes, unlike `Hasher`.
  private static func fnv1a(_ text: String) -> UInt32 {
    text.utf8.reduce(0x811c_9dc5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
  }

  private static func hexadecimal(_ value: UInt32) -> [UInt8] {
    stride(from: 28, through: 0, by: -4).map {
      Array("0123456789abcdef".utf8)[Int(value >> $0) & 15]
    }
  }
}
