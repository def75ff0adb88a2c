import CZlib
import TensorFiles

/// What a recording consists of: some messages together, checksummed, perhaps deflated.
///
/// A header of 24 bytes, then what is stored. The header holds six little-endian numbers of 32 bits:
/// the marker `MBLK`, flags (1: deflated by zlib), the length of the messages, the length of what is
/// stored, how many messages there are, and the CRC-32 of the first 20 bytes and of what is stored.
/// A reader that has lost its place finds it again at the next marker whose checksum fits.
package struct Block {
  package static let marker: UInt32 = 0x4B4C_424D
  package static let headerBytes = 24
  /// The most bytes of messages: the largest message and some more.
  package static let maximumBytes = RecordedMessage.maximumPayloadBytes + (1 << 20)

  /// A block's header.
  package struct Header: Equatable {
    package var isDeflated: Bool
    package var rawBytes: Int
    package var storedBytes: Int
    package var messages: Int
    package var checksum: UInt32

    /// Reads a header; nil unless it is one that the writer could have written. Lengths are bounded
    /// before anything is allocated for them: zlib shrinks by at most 1032.
    package init?(_ bytes: [UInt8], at offset: Int = 0) {
      guard bytes.count - offset >= Block.headerBytes else { return nil }
      func number(_ index: Int) -> UInt32 {
        bytes.littleEndian(UInt32.self, at: offset + 4 * index)
      }
      guard number(0) == Block.marker, number(1) <= 1 else { return nil }
      isDeflated = number(1) == 1
      rawBytes = Int(number(2))
      storedBytes = Int(number(3))
      messages = Int(number(4))
      checksum = number(5)
      guard (1...Block.maximumBytes).contains(rawBytes), storedBytes > 0,
        messages > 0, messages <= rawBytes / RecordedMessage.headerBytes,
        isDeflated ? storedBytes < rawBytes : storedBytes == rawBytes,
        rawBytes <= storedBytes * 1040 + 64
      else { return nil }
    }
  }

  /// A block of encoded messages, ready to be written.
  ///
  /// - Parameter isDeflated: whether to deflate, if that makes it smaller.
  package static func encode(_ raw: [UInt8], messages: Int, isDeflated: Bool) -> [UInt8] {
    let small = isDeflated ? deflate(raw) : nil
    let stored = small ?? raw
    var block: [UInt8] = []
    block.reserveCapacity(headerBytes + stored.count)
    for number in [
      marker, small == nil ? 0 : 1, UInt32(raw.count), UInt32(stored.count), UInt32(messages),
    ] {
      block.appendLittleEndian(number)
    }
    block.appendLittleEndian(crc(block[...], stored[...]))
    return block + stored
  }

  /// The encoded messages of a block; nil if it was damaged.
  ///
  /// - Parameter bytes: the header and what is stored.
  package static func decode(_ header: Header, _ bytes: [UInt8]) -> [UInt8]? {
    guard bytes.count == headerBytes + header.storedBytes,
      crc(bytes[..<20], bytes[headerBytes...]) == header.checksum
    else { return nil }
    let stored = bytes[headerBytes...]
    return header.isDeflated ? inflate(stored, count: header.rawBytes) : Array(stored)
  }

  private static func crc(_ parts: ArraySlice<UInt8>...) -> UInt32 {
    var value = crc32(0, nil, 0)
    for part in parts {
      part.withUnsafeBufferPointer { value = crc32(value, $0.baseAddress, UInt32($0.count)) }
    }
    return UInt32(truncatingIfNeeded: value)
  }

  /// It halves tensors and takes nine tenths off JSON.
  private static func deflate(_ raw: [UInt8]) -> [UInt8]? {
    guard raw.count > 64 else { return nil }
    return raw.withUnsafeBytes { Deflate.compress($0, atMost: raw.count - 1) }
  }

  private static func inflate(_ stored: ArraySlice<UInt8>, count: Int) -> [UInt8]? {
    let result = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialised in
      let target = UnsafeMutableBufferPointer(rebasing: buffer[..<count])
      let isWhole = stored.withUnsafeBytes { Deflate.expand($0, into: target) }
      initialised = isWhole ? count : 0
    }
    return result.count == count ? result : nil
  }
}
