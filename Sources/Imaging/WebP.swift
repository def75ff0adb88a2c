import Foundations
import Glibc

extension Image {
  /// Decodes a still image in WebP's lossy or lossless form, as PIL does.
  static func decodeWebP(
    _ bytes: [UInt8], source: String, limit: Int
  ) throws(MartletError) -> Image {
    guard let library = WebPLibrary.loaded else {
      throw MartletError(
        .unsupported, "a WebP image needs libwebp, which is not on this machine",
        context: ["source": source],
        hint: "install Debian's libwebp7, or convert the image to JPEG or PNG")
    }
    var (width, height): (Int32, Int32) = (0, 0)
    guard library.readExtents(bytes, bytes.count, &width, &height) != 0 else {
      throw damagedImage("no WebP header", source)
    }
    try checkSize(width: Int(width), height: Int(height), source: source, limit: limit)
    let count = 3 * Int(width) * Int(height)
    var isWhole = false
    let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialised in
      isWhole = library.decode(bytes, bytes.count, buffer.baseAddress, count, 3 * width) != nil
      initialised = isWhole ? count : 0
    }
    guard isWhole else {
      // The flag for animation in the extended header.
      let isAnimated =
        bytes.count > 20 && bytes[12..<16].elementsEqual("VP8X".utf8) && bytes[20] & 2 != 0
      throw damagedImage(isAnimated ? "it is an animation" : "its data are not whole", source)
    }
    return Image(width: Int(width), height: Int(height), channels: 3, pixels: pixels)
  }
}

/// Two functions of libwebp, which is loaded when the first WebP image is met and not linked: a device
/// that meets none spends no memory on it and does not need it installed.
private struct WebPLibrary: Sendable {
  /// `WebPGetInfo`: 0 for what is no WebP image.
  let readExtents:
    @Sendable @convention(c) (
      UnsafePointer<UInt8>, Int, UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>
    ) -> Int32
  /// `WebPDecodeRGBInto`: nil for damaged data; takes the output, its size and its stride in bytes.
  let decode:
    @Sendable @convention(c) (
      UnsafePointer<UInt8>, Int, UnsafeMutablePointer<UInt8>?, Int, Int32
    ) -> UnsafeMutablePointer<UInt8>?

  static let loaded = WebPLibrary()

  /// Both functions have kept their form since version 0.1, of which the library's number tells.
  private init?() {
    guard let library = dlopen("libwebp.so.7", RTLD_NOW | RTLD_LOCAL),
      let info = dlsym(library, "WebPGetInfo"), let into = dlsym(library, "WebPDecodeRGBInto")
    else { return nil }
    readExtents = unsafeBitCast(info, to: type(of: readExtents))
    decode = unsafeBitCast(into, to: type(of: decode))
  }
}
