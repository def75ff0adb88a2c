package import Foundations

/// JSON text from `Encodable` values and back, over json-c.
///
/// Reading is strict: trailing text, duplicate roots, comments, invalid UTF-8 and numbers that are
/// not JSON are refused with the offset; of duplicate names the last one wins. Writing is
/// deterministic: members come in the order in which they are encoded, dictionaries sorted by name.
package enum JSON {
  /// What a document may cost before it is refused.
  package struct Limits: Sendable {
    /// The largest document, in bytes.
    package var bytes: Int
    /// The deepest nesting of arrays and objects.
    package var depth: Int

    /// Limits for a document of plan size: 64 MiB and 128 levels.
    package static let standard = Limits(bytes: 64 << 20, depth: 128)

    /// Makes limits; json-c cannot read more than 2 GiB, whatever `bytes` says.
    package init(bytes: Int, depth: Int) {
      self.bytes = bytes
      self.depth = depth
    }
  }

  /// The UTF-8 text of a value.
  ///
  /// - Parameter pretty: two-space indentation, with arrays of numbers filled into lines.
  /// - Throws: `MartletError.Code.invalidArgument` naming the coding path, for values that JSON
  ///   cannot hold: NaN, infinities, names with a NUL, more than 128 levels.
  package static func encode<T: Encodable>(
    _ value: T, pretty: Bool = false
  ) throws(MartletError) -> [UInt8] {
    let root = try encodeTree(value)
    return root.withText(pretty: pretty) { text in
      var bytes = [UInt8](text)
      if pretty { bytes.append(UInt8(ascii: "\n")) }
      return bytes
    }
  }

  /// The text of a value as a string; see `encode(_:pretty:)`.
  package static func encodeString<T: Encodable>(
    _ value: T, pretty: Bool = false
  ) throws(MartletError) -> String {
    String(decoding: try encode(value, pretty: pretty), as: UTF8.self)
  }

  /// A value from UTF-8 text.
  ///
  /// - Parameter source: what the bytes are (a path, a topic), named in every error.
  /// - Throws: `MartletError.Code.invalidFile` with the source and either the offset of a syntax
  ///   error or the coding path of a value that does not fit its type;
  ///   `resourceExhausted` for a document above `limits`.
  package static func decode<T: Decodable>(
    _ type: T.Type, from bytes: UnsafeRawBufferPointer, source: String,
    limits: Limits = .standard
  ) throws(MartletError) -> T {
    let root = try JSONHandle.parse(bytes, source: source, limits: limits)
    do {
      return try Reader.read(type, root.raw, owner: root, path: [])
    } catch {
      throw readingError(error, source: source)
    }
  }

  /// A value from an array of UTF-8 bytes; see `decode(_:from:source:limits:)`.
  package static func decode<T: Decodable>(
    _ type: T.Type, from bytes: [UInt8], source: String, limits: Limits = .standard
  ) throws(MartletError) -> T {
    try bytes.withUnsafeBufferPointer { buffer throws(MartletError) in
      try decode(type, from: UnsafeRawBufferPointer(buffer), source: source, limits: limits)
    }
  }

  /// A value from a string; see `decode(_:from:source:limits:)`.
  package static func decode<T: Decodable>(
    _ type: T.Type, from text: String, source: String, limits: Limits = .standard
  ) throws(MartletError) -> T {
    try decode(type, from: Array(text.utf8), source: source, limits: limits)
  }

  private static func encodeTree<T: Encodable>(_ value: T) throws(MartletError) -> JSONHandle {
    do {
      return try Writer.write(value, path: [])
    } catch {
      throw writingError(error)
    }
  }
}
