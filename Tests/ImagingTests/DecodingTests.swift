import Foundations
import Imaging
import TensorFiles
import Tensors
import Testing

@Suite struct DecodingTests {
  @Test(arguments: [
    ("rgb.png", "rgb", 0), ("rgb.jpg", "jpeg", 0), ("progressive.jpg", "progressive", 0),
    ("grey.jpg", "grey-jpeg", 0), ("cmyk.jpg", "cmyk", 1), ("palette.png", "palette", 0),
    ("alpha.png", "alpha", 0), ("deep.png", "deep", 0), ("bits.png", "bits", 0),
  ])
  func decodesLikePIL(file: String, golden: String, tolerance: Int) throws {
    let difference = try largestDifference(Goldens.image(file), Goldens.array(golden))
    #expect(try #require(difference, "other extents") <= tolerance)
  }

  /// Every kind of samples, transparency, interlacing and gamma: `make-png-goldens.py` makes them.
  @Test func everyKindOfPNGIsReadAsPILReadsIt() throws {
    let files = try FileSystem.list(Goldens.path("png")).map(\.path).filter {
      $0.hasSuffix(".png")
    }
    let expected = try Goldens.array("png/pixels")
    let values = try #require(expected.integers)
    try #require(expected.shape.dimensions == [files.count, 9, 11, 3])
    for (number, file) in files.enumerated() {
      let image = try Goldens.image("png/" + file).rgb
      #expect(image.height == 9 && image.width == 11, "\(file)")
      let wanted = values[(number * 297)..<((number + 1) * 297)]
      #expect(zip(image.pixels, wanted).allSatisfy { Int64($0) == $1 }, "\(file)")
    }
  }

  @Test(arguments: ["lossy", "lossless"])
  func webPIsReadAsPILReadsIt(name: String) throws {
    let bytes = try Goldens.bytes(name + ".webp")
    do {
      let image = try Image.decode(bytes, source: name)
      #expect(try largestDifference(image, Goldens.array(name + "-webp")) == 0)
    } catch let error as MartletError where error.code == .unsupported {
      print("webPIsReadAsPILReadsIt: not run, as libwebp is absent")
      #expect(error.hint?.contains("libwebp7") == true)
      return
    }
    for count in stride(from: 12, to: bytes.count - 4, by: 17) {
      #expect(throws: MartletError.self) { try Image.decode(Array(bytes[..<count]), source: name) }
    }
    let huge = #expect(throws: MartletError.self) {
      try Image.decode(bytes, source: name, limit: 100)
    }
    #expect(huge?.code == .resourceExhausted)
  }

  @Test func greyIsPILsLuma() throws {
    let grey = try Goldens.image("rgb.png").grey
    #expect(try largestDifference(grey, Goldens.array("grey")) == 0)
    #expect(grey.rgb.channels == 3)
    #expect(grey.rgb.grey == grey)
  }

  @Test func otherBytesAreShown() {
    let error = #expect(throws: MartletError.self) {
      try Image.decode(Array("no image".utf8), source: "x.gif")
    }
    #expect(error?.code == .invalidFile)
    #expect(error?.description.contains("6e 6f 20 69") == true)
  }

  @Test(arguments: [
    ("GIF89a..", "a GIF image"), ("II*\u{0}", "a TIFF image"), ("<html>", "SVG or HTML"),
    ("", "empty"),
  ])
  func otherFormatsAreNamed(text: String, name: String) {
    let error = #expect(throws: MartletError.self) {
      try Image.decode(Array(text.utf8), source: "x.jpg")
    }
    #expect(error?.code == .invalidFile)
    for part in [name, "x.jpg"] { #expect(error?.description.contains(part) == true) }
  }

  @Test(arguments: ["rgb.png", "rgb.jpg", "progressive.jpg", "palette.png"])
  func cutOffImagesAreRefused(file: String) throws {
    let bytes = try Goldens.bytes(file)
    for count in stride(from: 4, to: bytes.count - 30, by: max(1, bytes.count / 60)) {
      let error = #expect(throws: MartletError.self, "\(count) of \(bytes.count) bytes") {
        try Image.decode(Array(bytes[..<count]), source: file)
      }
      #expect(error?.description.contains(file) == true)
    }
  }

  @Test func strayBytesBetweenMarkersAreTolerated() throws {
    var bytes = try Goldens.bytes("rgb.jpg")
    let table = try #require(
      bytes.indices.dropLast().first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xDB })
    bytes.insert(contentsOf: [0x12, 0x34, 0x56], at: table)
    let image = try Image.decode(bytes, source: "stray")
    #expect(try largestDifference(image, Goldens.array("jpeg")) == 0)
  }

  @Test func hugeExtentsAreRefusedBeforeAllocation() throws {
    var png = try Goldens.bytes("rgb.png")
    // IHDR: width and height at 16; its checksum at 29 is refreshed so that only the size is odd.
    png.replaceSubrange(16..<24, with: [0x00, 0x0F, 0x42, 0x40, 0x00, 0x0F, 0x42, 0x40])
    let sum = crc32(png[12..<29])
    for byte in 0..<4 { png[29 + byte] = UInt8(truncatingIfNeeded: sum >> (24 - 8 * UInt32(byte))) }
    let error = #expect(throws: MartletError.self) { try Image.decode(png, source: "t") }
    #expect(error?.code == .resourceExhausted || error?.code == .invalidFile)

    var jpeg = try Goldens.bytes("rgb.jpg")
    let frame = try #require(
      jpeg.indices.dropLast(9).first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
    jpeg.replaceSubrange((frame + 5)..<(frame + 9), with: [0xFF, 0xDC, 0xFF, 0xDC])
    let other = #expect(throws: MartletError.self) { try Image.decode(jpeg, source: "t") }
    #expect(other?.code == .resourceExhausted)
  }

  @Test(
    arguments: ["rgb.png", "rgb.jpg", "progressive.jpg", "cmyk.jpg", "palette.png", "deep.png"],
    0..<2 as Range<UInt64>)
  func mutatedImagesNeverCrash(file: String, seed: UInt64) throws {
    let valid = try Goldens.bytes(file)
    var random = SeededGenerator(seed: seed)
    for _ in 0..<400 {
      var bytes = valid
      for _ in 0...(random.next() % 4) {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      guard let image = try? Image.decode(bytes, source: "\(file), seed \(seed)") else { continue }
      #expect(image.pixels.count == image.width * image.height * image.channels)
    }
  }

  private func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
  }
}
