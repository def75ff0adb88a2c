import CTurboJPEG
import Foundations

extension Image {
  /// Decodes with libjpeg-turbo's defaults (accurate DCT, smooth chroma), as PIL does.
  static func decodeJPEG(
    _ bytes: [UInt8], source: String, limit: Int
  ) throws(MartletError) -> Image {
    guard let decoder = tjInitDecompress() else {
      throw MartletError(.resourceExhausted, "no memory for a JPEG decoder")
    }
    defer { tjDestroy(decoder) }
    var width: Int32 = 0
    var height: Int32 = 0
    var subsampling: Int32 = 0
    var space: Int32 = 0
    let size = UInt(bytes.count)
    guard
      tjDecompressHeader3(decoder, bytes, size, &width, &height, &subsampling, &space) == 0
        || isHarmless(decoder)
    else { throw damagedImage(reason(decoder), source) }
    try checkSize(width: Int(width), height: Int(height), source: source, limit: limit)

    let format: TJPF
    let channels: Int
    switch space {
    case Int32(TJCS_GRAY.rawValue): (format, channels) = (TJPF_GRAY, 1)
    case Int32(TJCS_CMYK.rawValue), Int32(TJCS_YCCK.rawValue): (format, channels) = (TJPF_CMYK, 4)
    default: (format, channels) = (TJPF_RGB, 3)
    }
    var pixels = [UInt8](repeating: 0, count: Int(width) * Int(height) * channels)
    let status = tjDecompress2(
      decoder, bytes, size, &pixels, width, 0, height, format.rawValue, TJFLAG_LIMITSCANS)
    guard status == 0 || isHarmless(decoder) else { throw damagedImage(reason(decoder), source) }
    if channels == 4 { pixels = rgbFromInvertedCMYK(pixels) }
    return Image(
      width: Int(width), height: Int(height), channels: min(channels, 3), pixels: pixels)
  }

  /// Whether the last complaint leaves every pixel as it was meant.
  ///
  /// libjpeg's other warnings stand for lost data, above all for files that end early, and once
  /// there has been a warning TurboJPEG calls a fatal error one as well; so the text decides.
  private static func isHarmless(_ decoder: tjhandle) -> Bool {
    guard tjGetErrorCode(decoder) == Int32(TJERR_WARNING.rawValue) else { return false }
    let text = reason(decoder)
    return [
      "extraneous bytes before marker", "unknown JFIF revision", "Unknown Adobe color transform",
      "bad ICC marker", "Invalid SOS parameters for sequential",
    ].contains { text.contains($0) }
  }

  private static func reason(_ decoder: tjhandle) -> String {
    tjGetErrorStr2(decoder).map { String(cString: $0) } ?? "unknown reason"
  }

  /// JPEG files with four channels hold inverted inks, after Adobe's habit.
  private static func rgbFromInvertedCMYK(_ inks: [UInt8]) -> [UInt8] {
    var pixels: [UInt8] = []
    pixels.reserveCapacity(inks.count / 4 * 3)
    for index in stride(from: 0, to: inks.count, by: 4) {
      let black = UInt32(inks[index + 3])
      for channel in 0..<3 {
        pixels.append(UInt8((UInt32(inks[index + channel]) * black + 127) / 255))
      }
    }
    return pixels
  }
}
