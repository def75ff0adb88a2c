import TensorFiles
import Testing

@Suite struct FileKindTests {
  @Test(arguments: [
    ("\u{1}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}{", FileKind.safetensors),
    // A header of 19,778 bytes begins like a bitmap.
    ("BM\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}{\"a\":", .safetensors),
    ("RIFF\u{1}\u{2}\u{3}\u{4}WEBPVP8 ", .webP),
    ("GIF89a", .gif), ("BM\u{1}\u{2}\u{3}\u{4}\u{0}\u{0}\u{0}\u{0}6", .bmp), ("II*\u{0}", .tiff),
    ("MM\u{0}*", .tiff), ("\u{0}\u{0}\u{0}\u{18}ftypheic", .heif),
    ("\u{0}\u{0}\u{0}\u{20}ftypavif", .heif),
    ("\u{0}\u{0}\u{0}\u{0C}JXL ", .jpegXL), ("\u{0}\u{0}\u{0}\u{0C}jP  ", .jpeg2000),
    ("P6\n1 1", .portableMap),
    ("<!DOCTYPE html>", .markup), ("%PDF-1.4", .pdf), ("PK\u{3}\u{4}", .zip),
    ("version https://git-lfs.github.com/spec/v1", .largeFilePointer),
  ])
  func kindsAreKnown(text: String, kind: FileKind) {
    #expect(FileKind(of: Array(text.utf8)) == kind)
  }

  @Test func bytesThatAreNoText() {
    #expect(FileKind(of: [0xFF, 0xD8, 0xFF, 0xE0] as [UInt8]) == .jpeg)
    #expect(FileKind(of: [0x89, 0x50, 0x4E, 0x47] as [UInt8]) == .png)
    #expect(FileKind(of: [0x1F, 0x8B, 8] as [UInt8]) == .gzip)
    #expect(FileKind(of: [0x93] as [UInt8] + Array("NUMPY".utf8)) == .numpy)
    for bytes in [[], [0], Array("BM".utf8), Array("no image".utf8), [0xFF, 0xD8]] as [[UInt8]] {
      #expect(FileKind(of: bytes) == nil)
    }
  }

  @Test func imagesThatAreReadHaveMediaTypes() {
    let types = FileKind.allCases.compactMap(\.mediaType)
    #expect(types == ["image/jpeg", "image/png", "image/webp"])
  }

  @Test func imagesAloneAreSearchedFor() {
    for kind in FileKind.allCases where !kind.isImage {
      #expect(kind.endings.isEmpty && kind.mediaType == nil)
    }
    let endings: Set = [
      ".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".heic",
      ".heif", ".avif",
    ]
    #expect(Set(FileKind.allCases.flatMap(\.endings)) == endings)
  }
}
