package import Foundations
package import Tensors

/// The header of a safetensors file or message: names, types, shapes and places of its tensors.
///
/// Format: <https://github.com/huggingface/safetensors#format>. Eight bytes of little-endian length,
/// a JSON object padded with spaces so that the data start is a multiple of eight, then the data,
/// which is little-endian and covered by the tensors without a hole or an overlap.
package struct SafetensorsHeader: Sendable, Equatable {
  /// One tensor.
  package struct Entry: Sendable, Equatable {
    /// Its name, unique in the header.
    package var name: String
    /// The type of its elements.
    package var elementType: ElementType
    /// Its extents.
    package var shape: Shape
    /// Its bytes, counted from the start of the data.
    package var range: Range<Int>
  }

  /// The tensors in the order of their data.
  package var entries: [Entry]
  /// The strings under `__metadata__`.
  package var metadata: [String: String]
  /// Where the data starts: the bytes of length and header together.
  package var dataOffset: Int

  /// The number of data bytes.
  package var dataCount: Int { entries.last?.range.upperBound ?? 0 }

  /// The tensor of this name.
  package func entry(_ name: String) -> Entry? { entries.first { $0.name == name } }

  /// The largest header that is read, in bytes.
  package static let maximumLength = 64 << 20

  /// Reads the header at the start of `bytes`, which may end after the header.
  ///
  /// - Parameters:
  ///   - total: the size of the whole file or message; the tensors must fill it exactly.
  ///   - source: named in errors.
  /// - Throws: `invalidFile` with source and offset; `unsupported` for an element type that Martlet
  ///   does not know.
  package static func decode(
    _ bytes: UnsafeRawBufferPointer, total: Int, source: String
  ) throws(MartletError) -> SafetensorsHeader {
    let length = try headerLength(bytes, total: total, source: source)
    guard bytes.count >= 8 + length else {
      throw damaged("the header is cut off", source, offset: bytes.count)
    }
    var parser = HeaderParser(
      bytes: UnsafeRawBufferPointer(rebasing: bytes[8..<(8 + length)]), source: source)
    let dataOffset = 8 + length
    var (entries, metadata) = try parser.parse()
    try checkPlaces(&entries, dataCount: total - dataOffset, source: source)
    return SafetensorsHeader(entries: entries, metadata: metadata, dataOffset: dataOffset)
  }

  /// Reads the header of a whole message; see `decode(_:total:source:)`.
  package static func decode(
    _ bytes: [UInt8], source: String
  ) throws(MartletError) -> SafetensorsHeader {
    try bytes.withUnsafeBufferPointer { buffer throws(MartletError) in
      try decode(UnsafeRawBufferPointer(buffer), total: buffer.count, source: source)
    }
  }

  /// The length of the JSON text, from the first eight bytes.
  static func headerLength(
    _ bytes: UnsafeRawBufferPointer, total: Int, source: String
  ) throws(MartletError) -> Int {
    guard bytes.count >= 8 else {
      throw damaged("shorter than the eight bytes of a header length", source, offset: bytes.count)
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length >= 2, length <= UInt64(maximumLength), Int(length) <= total - 8 else {
      throw damaged("the header length \(length) cannot be right", source, offset: 0)
    }
    return Int(length)
  }

  /// Sorts the tensors by place and checks that they cover the data and fit their shapes.
  private static func checkPlaces(
    _ entries: inout [Entry], dataCount: Int, source: String
  ) throws(MartletError) {
    if entries.count > 1 {
      entries.sort {
        ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
      }
      guard Set(entries.lazy.map(\.name)).count == entries.count else {
        throw damaged("two tensors have one name", source, offset: 8)
      }
    }
    var end = 0
    for entry in entries {
      guard entry.range.lowerBound == end else {
        throw damaged("the data of \"\(entry.name)\" leaves a hole or overlaps", source, offset: 8)
      }
      guard entry.range.count == entry.shape.count * entry.elementType.size else {
        throw damaged(
          "\"\(entry.name)\" has \(entry.range.count) bytes for shape \(entry.shape)", source,
          offset: 8)
      }
      end = entry.range.upperBound
    }
    guard end == dataCount else {
      throw damaged("the tensors take \(end) bytes of \(dataCount)", source, offset: 8)
    }
  }
}

func damaged(_ reason: String, _ source: String, offset: Int) -> MartletError {
  MartletError(
    .invalidFile, "not a safetensors file: \(reason)",
    context: ["source": source, "offset": "\(offset)"])
}
