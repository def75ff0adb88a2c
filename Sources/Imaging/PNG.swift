import CPNG
import TensorCore

extension Image {
  /// Decodes through libpng's simplified interface, which handles every bit depth and interlacing.
  static func decodePNG(
    _ bytes: [UInt8], source: String, limit: Int
  ) throws(MartletError) -> Image {
    var control = png_image()
    control.version = png_uint_32(PNG_IMAGE_VERSION)
    // Frees what libpng holds on every way out; after a finished read it is a no-op.
    defer { png_image_free(&control) }
    guard png_image_begin_read_from_memory(&control, bytes, bytes.count) != 0 else {
      throw damagedImage(reason(control), source)
    }
    try checkSize(
      width: Int(control.width), height: Int(control.height), source: source, limit: limit)

    // 16-bit samples are gamma-encoded like 8-bit ones in practice, not linear.
    control.flags |= png_uint_32(PNG_IMAGE_FLAG_16BIT_sRGB)
    // Asking for alpha and dropping it below keeps libpng from blending with a background.
    let hasAlpha = control.format & PNG_FORMAT_FLAG_ALPHA != 0
    let isColour = control.format & PNG_FORMAT_FLAG_COLOR != 0
    control.format =
      (isColour ? PNG_FORMAT_FLAG_COLOR : 0) | (hasAlpha ? PNG_FORMAT_FLAG_ALPHA : 0)
    let channels = isColour ? 3 : 1
    let stored = channels + (hasAlpha ? 1 : 0)
    let width = Int(control.width)
    let height = Int(control.height)
    var pixels = [UInt8](repeating: 0, count: width * height * stored)
    guard png_image_finish_read(&control, nil, &pixels, 0, nil) != 0 else {
      throw damagedImage(reason(control), source)
    }
    if hasAlpha { pixels = droppingLast(of: stored, pixels) }
    return Image(width: width, height: height, channels: channels, pixels: pixels)
  }

  private static func reason(_ control: png_image) -> String {
    withUnsafeBytes(of: control.message) { text in
      String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  private static func droppingLast(of stored: Int, _ pixels: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(pixels.count / stored * (stored - 1))
    for start in stride(from: 0, to: pixels.count, by: stored) {
      result.append(contentsOf: pixels[start..<(start + stored - 1)])
    }
    return result
  }
}
