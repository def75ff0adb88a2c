import CPNG
import Foundations

extension Image {
  /// Decodes every kind of PNG to 8 bits of grey or colour.
  static func decodePNG(
    _ bytes: [UInt8], source: String, limit: Int
  ) throws(MartletError) -> Image {
    var header = cpng_image()
    guard cpng_read_header(bytes, bytes.count, &header) else {
      throw damagedImage(reason(header), source)
    }
    let (width, height) = (Int(header.width), Int(header.height))
    try checkSize(width: width, height: height, source: source, limit: limit)
    let count = width * height * Int(header.channels)
    var isWhole = false
    let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialised in
      isWhole = cpng_read_pixels(bytes, bytes.count, buffer.baseAddress, count, &header)
      initialised = isWhole ? count : 0
    }
    guard isWhole else { throw damagedImage(reason(header), source) }
    return Image(width: width, height: height, channels: Int(header.channels), pixels: pixels)
  }

  private static func reason(_ header: cpng_image) -> String {
    withUnsafeBytes(of: header.message) { text in
      String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}
