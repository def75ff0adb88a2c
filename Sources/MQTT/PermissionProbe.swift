/// A random token on its way through the broker and back: one check of what the broker lets through.
struct PermissionProbe {
  static let tokenLength = 29
  /// How long a broker that has acknowledged the token may take to bring it. It usually does so before
  /// it acknowledges; MQTT does not promise that.
  static let grace = Duration.seconds(2)
  /// The same for whoever can do without it: it is there with the acknowledgement, or next to it.
  static let shortGrace = Duration.milliseconds(250)
  /// Topics are tried so often: this process may have been stopped while the grace passed.
  static let attempts = 2
  let token: [UInt8]
  /// Bytes of the message: the token, and zeros behind it.
  let size: Int
  var arrived = false
  /// The reason code with which the broker acknowledged the token; from 128 on it is a refusal.
  var acknowledged: Int32?

  /// - Parameter size: bytes of the message; the token's own if nil.
  init(size: Int? = nil) {
    let digits = String(UInt64.random(in: .min ... .max), radix: 16)
    let zeros = String(repeating: "0", count: 16 - digits.count)
    token = Array("martlet-check".utf8) + Array((zeros + digits).utf8)
    self.size = max(size ?? Self.tokenLength, Self.tokenLength)
  }

  /// Whether it finds out about a size, so that a refusal is an answer like another.
  var isTrial: Bool { size > Self.tokenLength }

  var payload: [UInt8] { token + [UInt8](repeating: 0, count: size - token.count) }

  func matches(_ payload: UnsafeRawBufferPointer) -> Bool {
    payload.count == size && payload.prefix(token.count).elementsEqual(token)
  }
}
