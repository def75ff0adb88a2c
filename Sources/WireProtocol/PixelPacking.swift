import TensorFiles

/// How rows of pixels are packed: each byte less the same channel of the pixel to its left, which makes
/// photographs about a third smaller than they are deflated as they are, then zlib.
enum PixelPacking {
  /// The name in a message's header.
  static let name = "left-zlib"
  /// The most bytes that one message may unpack to.
  static let maximumBytes = 1 << 24
  /// Packed pixels travel only if that saves this part of them: below it, the time of everybody who
  /// unpacks them costs more.
  private static let leastSaving = 10

  /// Packs whole rows; nil where that does not save enough.
  ///
  /// - Parameters:
  ///   - row: bytes of a row.
  ///   - channels: bytes of a pixel.
  static func pack(
    _ pixels: UnsafeBufferPointer<UInt8>, row: Int, channels: Int
  ) -> [UInt8]? {
    guard pixels.count <= maximumBytes else { return nil }
    var differences = [UInt8](pixels)
    for start in stride(from: 0, to: pixels.count, by: row) {
      for index in start + min(channels, row)..<start + row {
        differences[index] = pixels[index] &- pixels[index - channels]
      }
    }
    return differences.withUnsafeBytes {
      Deflate.compress($0, atMost: pixels.count - pixels.count / leastSaving)
    }
  }

  /// Restores whole rows.
  ///
  /// - Returns: false for bytes that are not as many pixels as `target` holds.
  static func unpack(
    _ packed: UnsafeRawBufferPointer, row: Int, channels: Int,
    into target: UnsafeMutableBufferPointer<UInt8>
  ) -> Bool {
    guard Deflate.expand(packed, into: target) else { return false }
    for start in stride(from: 0, to: target.count, by: row) {
      for index in start + min(channels, row)..<start + row {
        target[index] &+= target[index - channels]
      }
    }
    return true
  }
}
