import TensorFiles

/// What a binary body is, by its first bytes; the name of its type is only a courtesy.
package struct ContentType: Sendable {
  /// Anything but an image that is read: a safetensors file, or nothing that Martlet reads.
  package static let other = ContentType(rawValue: "application/octet-stream")

  /// The media type, such as `image/jpeg`.
  package let rawValue: String

  private init(rawValue: String) { self.rawValue = rawValue }

  /// Looks at the first bytes.
  package init(of bytes: [UInt8]) {
    rawValue = FileKind(of: bytes)?.mediaType ?? ContentType.other.rawValue
  }
}
