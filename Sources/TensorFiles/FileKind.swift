/// What bytes are, by the first few of them, for messages about what is not read.
package enum FileKind: String, Sendable, CaseIterable {
  /// A JPEG image.
  case jpeg = "a JPEG image"
  /// A PNG image.
  case png = "a PNG image"
  /// A WebP image.
  case webP = "a WebP image"
  /// A GIF image.
  case gif = "a GIF image"
  /// A Windows bitmap.
  case bmp = "a BMP image"
  /// A TIFF image.
  case tiff = "a TIFF image"
  /// HEIC or AVIF, the formats of telephones.
  case heif = "a HEIF or AVIF image"
  /// JPEG XL, with or without its container.
  case jpegXL = "a JPEG XL image"
  /// JPEG 2000.
  case jpeg2000 = "a JPEG 2000 image"
  /// A portable pixmap, greymap or bitmap.
  case portableMap = "a PPM, PGM or PBM image"
  /// SVG, HTML or XML: often an error page instead of a download.
  case markup = "SVG or HTML"
  /// A PDF document.
  case pdf = "a PDF document"
  /// Anything compressed by gzip.
  case gzip = "a gzip file"
  /// A ZIP archive.
  case zip = "a ZIP archive"
  /// A NumPy array.
  case numpy = "a NumPy array"
  /// The pointer that Git LFS leaves in place of a file.
  case largeFilePointer = "a pointer of Git LFS"
  /// A safetensors file.
  case safetensors = "a safetensors file"

  /// Looks at the first bytes; nil for what is none of these.
  package init?(of bytes: some Collection<UInt8>) {
    let head = Array(bytes.prefix(32))
    func has(_ text: String, at offset: Int = 0) -> Bool {
      head.dropFirst(offset).starts(with: text.utf8)
    }
    func starts(_ bytes: UInt8...) -> Bool { head.starts(with: bytes) }
    // The length of a header of JSON; first, as its bytes may look like anything.
    if head.count > 8, head[4..<8].allSatisfy({ $0 == 0 }), has("{", at: 8) {
      self = .safetensors
    } else if starts(0xFF, 0xD8, 0xFF) {
      self = .jpeg
    } else if starts(0x89, 0x50, 0x4E, 0x47) {
      self = .png
    } else if has("RIFF"), has("WEBP", at: 8) {
      self = .webP
    } else if has("GIF8") {
      self = .gif
    } else if has("BM"), head.count > 9, head[6..<10].allSatisfy({ $0 == 0 }) {
      self = .bmp
    } else if starts(0x49, 0x49, 0x2A, 0) || starts(0x4D, 0x4D, 0, 0x2A) {
      self = .tiff
    } else if has("ftyp", at: 4),
      ["heic", "heix", "mif1", "msf1", "avif", "avis", "hevc"].contains(where: { has($0, at: 8) })
    {
      self = .heif
    } else if starts(0xFF, 0x0A) || has("JXL ", at: 4) {
      self = .jpegXL
    } else if has("jP  ", at: 4) {
      self = .jpeg2000
    } else if head.count > 2, has("P"), (0x31...0x36).contains(head[1]),
      [0x09, 0x0A, 0x0D, 0x20].contains(head[2])
    {
      self = .portableMap
    } else if ["<svg", "<?xml", "<!DOCTYPE", "<!doctype", "<html"].contains(where: { has($0) }) {
      self = .markup
    } else if has("%PDF") {
      self = .pdf
    } else if starts(0x1F, 0x8B) {
      self = .gzip
    } else if starts(0x50, 0x4B, 0x03, 0x04) {
      self = .zip
    } else if starts(0x93), has("NUMPY", at: 1) {
      self = .numpy
    } else if has("version https://git-lfs") {
      self = .largeFilePointer
    } else {
      return nil
    }
  }

  /// Whether it is an image, read or not.
  package var isImage: Bool {
    switch self {
    case .jpeg, .png, .webP, .gif, .bmp, .tiff, .heif, .jpegXL, .jpeg2000, .portableMap: true
    case .markup, .pdf, .gzip, .zip, .numpy, .largeFilePointer, .safetensors: false
    }
  }

  /// The media type of an image that can be read; nil for everything else.
  package var mediaType: String? {
    switch self {
    case .jpeg: "image/jpeg"
    case .png: "image/png"
    case .webP: "image/webp"
    default: nil
    }
  }

  /// How the names of such images end, in lower case; none for what folders are not searched for.
  package var endings: [String] {
    switch self {
    case .jpeg: [".jpg", ".jpeg"]
    case .png: [".png"]
    case .webP: [".webp"]
    case .gif: [".gif"]
    case .bmp: [".bmp"]
    case .tiff: [".tif", ".tiff"]
    case .heif: [".heic", ".heif", ".avif"]
    case .portableMap: [".ppm", ".pgm"]
    default: []
    }
  }
}
