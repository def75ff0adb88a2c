package import Foundations
import ModelCards
import TensorFiles

/// An 8-bit image: rows from the top, pixels from the left, channels interleaved.
package struct Image: Sendable, Equatable {
  /// Columns.
  package let width: Int
  /// Rows.
  package let height: Int
  /// 1 (grey) or 3 (red, green, blue).
  package let channels: Int
  /// `height * width * channels` values.
  package let pixels: [UInt8]

  /// The most pixels that an image may have: 100 million.
  package static let maximumPixels = Preprocessing.maximumPixels

  /// - Precondition: the number of values fits the extents, and `channels` is 1 or 3.
  package init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
    precondition(channels == 1 || channels == 3, "\(channels) channels")
    precondition(pixels.count == width * height * channels, "\(pixels.count) values")
    self.width = width
    self.height = height
    self.channels = channels
    self.pixels = pixels
  }

  /// Decodes a JPEG, PNG or (where libwebp is installed) WebP image, whichever the first bytes say.
  ///
  /// Transparency and orientation tags are ignored, gamma and colour profiles are not applied, as PIL
  /// and TorchVision do. A palette becomes RGB, CMYK becomes RGB. Of 16 bits the upper eight are kept,
  /// as PIL does with colours; 16-bit grey it cuts off at 255 instead.
  ///
  /// - Parameters:
  ///   - source: what the bytes are, named in errors.
  ///   - limit: the most pixels; for bytes from strangers, of whom a few may stand for very many.
  /// - Throws: `invalidFile` for other formats, naming those that are common, and for damaged or cut-off data,
  ///   `resourceExhausted` above `limit`.
  package static func decode(
    _ bytes: [UInt8], source: String, limit: Int = maximumPixels
  ) throws(MartletError) -> Image {
    switch FileKind(of: bytes) {
    case .jpeg: return try decodeJPEG(bytes, source: source, limit: limit)
    case .png: return try decodePNG(bytes, source: source, limit: limit)
    case .webP: return try decodeWebP(bytes, source: source, limit: limit)
    case let kind?:
      throw MartletError(
        .invalidFile, "\(kind.rawValue) is neither JPEG nor PNG", context: ["source": source],
        hint: kind.isImage ? "convert it to JPEG or PNG" : nil)
    case nil where bytes.isEmpty:
      throw MartletError(.invalidFile, "an image is empty", context: ["source": source])
    case nil:
      let start = bytes.prefix(8).map { byte in
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }.joined(separator: " ")
      throw MartletError(
        .invalidFile, "neither a JPEG nor a PNG image",
        context: ["source": source, "first_bytes": start])
    }
  }

  /// Refuses extents that are zero or too large before anything is allocated for them.
  static func checkSize(
    width: Int, height: Int, source: String, limit: Int = maximumPixels
  ) throws(MartletError) {
    guard width > 0, height > 0 else { throw damagedImage("it has no pixels", source) }
    let (count, overflow) = width.multipliedReportingOverflow(by: height)
    guard !overflow, count <= limit else {
      throw MartletError(
        .resourceExhausted, "an image is larger than allowed",
        context: ["source": source, "size": "\(width)x\(height)", "limit": "\(limit)"])
    }
    // With up to four samples a pixel, and once more while they are brought into another form.
    try MemoryLimit.require(count, of: 8, for: "an image of \(width)x\(height) pixels")
  }

  static func damagedImage(_ reason: String, _ source: String) -> MartletError {
    MartletError(
      .invalidFile, "an image cannot be decoded: \(reason)", context: ["source": source])
  }

  /// The image with one channel, its luma by ITU-R BT.601 in PIL's rounding.
  package var grey: Image {
    guard channels == 3 else { return self }
    let result = [UInt8](unsafeUninitializedCapacity: width * height) { output, initialised in
      pixels.withUnsafeBufferPointer { input in
        for index in 0..<(width * height) {
          let red = UInt32(input[3 * index])
          let green = UInt32(input[3 * index + 1])
          let blue = UInt32(input[3 * index + 2])
          let luma = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16
          output.initializeElement(at: index, to: UInt8(truncatingIfNeeded: luma))
        }
      }
      initialised = width * height
    }
    return Image(width: width, height: height, channels: 1, pixels: result)
  }

  /// The image with three channels; a grey one has three equal ones.
  package var rgb: Image {
    guard channels == 1 else { return self }
    return Image(
      width: width, height: height, channels: 3, pixels: pixels.flatMap { [$0, $0, $0] })
  }

  /// The image with `count` channels, 1 or 3.
  package func converted(toChannels count: Int) -> Image { count == 1 ? grey : rgb }
}
