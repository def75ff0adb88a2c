import TensorFiles

/// What a binary body is, by its first bytes; the name of its type is only a courtesy.
package enum ContentType: String, Sendable {
  /// A JPEG image.
  case jpeg = "image/jpeg"
  /// A PNG image.
  case png = "image/png"
  /// A WebP image.
  case webP = "image/webp"
  /// Anything else: a safetensors file, or nothing that Martlet reads.
  case other = "application/octet-stream"

  /// Looks at the first bytes.
  package init(of bytes: [UInt8]) {
    if bytes.starts(with: [0xff, 0xd8, 0xff]) {
      self = .jpeg
    } else if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47]) {
      self = .png
    } else if FileKind(of: bytes) == .webP {
      self = .webP
    } else {
      self = .other
    }
  }
}
