import Foundations
import Tensors

/// Reads the one form of JSON that a safetensors header has: an object of objects.
///
/// A general JSON tree costs several times as much as the rest of a small tensor message, and every
/// message has a header.
struct HeaderParser {
  let bytes: UnsafeRawBufferPointer
  let source: String
  private var offset = 0

  init(bytes: UnsafeRawBufferPointer, source: String) {
    self.bytes = bytes
    self.source = source
  }

  mutating func parse() throws(MartletError) -> (
    entries: [SafetensorsHeader.Entry], metadata: [String: String]
  ) {
    var entries: [SafetensorsHeader.Entry] = []
    var metadata: [String: String] = [:]
    var hasMetadata = false
    guard bytes.first == UInt8(ascii: "{") else { throw flaw("the header is not a JSON object") }
    try object { (parser, name) throws(MartletError) in
      if name == "__metadata__" {
        guard !hasMetadata else { throw parser.flaw("__metadata__ stands twice") }
        hasMetadata = true
        metadata = try parser.strings()
      } else {
        entries.append(try parser.entry(name))
      }
    }
    skipSpace()
    guard offset == bytes.count else { throw flaw("text follows the header") }
    return (entries, metadata)
  }

  private mutating func strings() throws(MartletError) -> [String: String] {
    var result = [String: String](minimumCapacity: 8)
    try object { (parser, name) throws(MartletError) in
      guard result.updateValue(try parser.string(), forKey: name) == nil else {
        throw parser.flaw("\"\(name)\" stands twice")
      }
    }
    return result
  }

  private mutating func entry(_ name: String) throws(MartletError) -> SafetensorsHeader.Entry {
    var type: String?
    var shape: [Int]?
    var places: [Int]?
    try object { (parser, field) throws(MartletError) in
      switch field {
      case "dtype" where type == nil: type = try parser.string()
      case "shape" where shape == nil: shape = try parser.integers(limit: 16)
      case "data_offsets" where places == nil: places = try parser.integers(limit: 2)
      default: throw parser.flaw("\"\(field)\" is unknown or stands twice in \"\(name)\"")
      }
    }
    guard let type, let shape, let places else {
      throw flaw("\"\(name)\" lacks dtype, shape or data_offsets")
    }
    guard let elementType = ElementType(rawValue: type) else {
      throw MartletError(
        .unsupported, "the element type \(type) is not supported",
        context: ["source": source, "tensor": name],
        hint: "save it again as float32: tensor.float() in PyTorch, array.astype('float32') in "
          + "NumPy; read are " + ElementType.allCases.map(\.rawValue).joined(separator: ", "))
    }
    guard places.count == 2, places[0] <= places[1] else {
      throw flaw("the data_offsets of \"\(name)\" are not a range")
    }
    do {
      return SafetensorsHeader.Entry(
        name: name, elementType: elementType, shape: try Shape(checking: shape),
        range: places[0]..<places[1])
    } catch {
      throw error.adding("tensor", name).adding("source", source)
    }
  }

  // MARK: Tokens

  private func flaw(_ reason: String) -> MartletError {
    damaged(reason, source, offset: 8 + offset)
  }

  private mutating func skipSpace() {
    while offset < bytes.count {
      switch bytes[offset] {
      case 0x20, 0x0A, 0x0D, 0x09: offset += 1
      default: return
      }
    }
  }

  /// Passes `byte` if it comes next.
  private mutating func passes(_ byte: UInt8) -> Bool {
    skipSpace()
    guard offset < bytes.count, bytes[offset] == byte else { return false }
    offset += 1
    return true
  }

  private mutating func expect(_ byte: UInt8) throws(MartletError) {
    guard passes(byte) else {
      throw flaw("expected '\(Character(Unicode.Scalar(byte)))'")
    }
  }

  private mutating func object(
    _ member: (inout HeaderParser, String) throws(MartletError) -> Void
  ) throws(MartletError) {
    try expect(UInt8(ascii: "{"))
    if passes(UInt8(ascii: "}")) { return }
    repeat {
      let name = try string()
      try expect(UInt8(ascii: ":"))
      try member(&self, name)
    } while passes(UInt8(ascii: ","))
    try expect(UInt8(ascii: "}"))
  }

  private mutating func integers(limit: Int) throws(MartletError) -> [Int] {
    var values: [Int] = []
    try expect(UInt8(ascii: "["))
    if passes(UInt8(ascii: "]")) { return [] }
    repeat {
      guard values.count < limit else { throw flaw("more than \(limit) numbers") }
      values.append(try integer())
    } while passes(UInt8(ascii: ","))
    try expect(UInt8(ascii: "]"))
    return values
  }

  private mutating func integer() throws(MartletError) -> Int {
    skipSpace()
    let start = offset
    var value = 0
    while offset < bytes.count, bytes[offset] >= 0x30, bytes[offset] <= 0x39 {
      let (product, first) = value.multipliedReportingOverflow(by: 10)
      let (sum, second) = product.addingReportingOverflow(Int(bytes[offset] - 0x30))
      guard !first, !second else { throw flaw("a number is too large") }
      value = sum
      offset += 1
    }
    guard offset > start else { throw flaw("expected a whole number") }
    guard offset - start == 1 || bytes[start] != 0x30 else { throw flaw("a leading zero") }
    return value
  }

  private mutating func string() throws(MartletError) -> String {
    try expect(UInt8(ascii: "\""))
    let start = offset
    while offset < bytes.count {
      let byte = bytes[offset]
      if byte == UInt8(ascii: "\"") {
        let plain = UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
        offset += 1
        guard let text = try? UTF8Span(validating: plain.bindMemory(to: UInt8.self).span) else {
          throw flaw("a string is not UTF-8")
        }
        return String(copying: text)
      }
      if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
      guard byte >= 0x20 else { throw flaw("a control character in a string") }
      offset += 1
    }
    throw flaw("a string without end")
  }

  /// The rare string with escapes, from its first character on.
  private mutating func escapedString(from start: Int) throws(MartletError) -> String {
    var units: [UInt8] = Array(bytes[start..<offset])
    while offset < bytes.count {
      let byte = bytes[offset]
      offset += 1
      if byte == UInt8(ascii: "\"") {
        guard let text = String(validating: units, as: UTF8.self) else {
          throw flaw("a string is not UTF-8")
        }
        return text
      }
      guard byte >= 0x20 else { throw flaw("a control character in a string") }
      if byte == UInt8(ascii: "\\") {
        units.append(contentsOf: Array(String(try escape()).utf8))
      } else {
        units.append(byte)
      }
    }
    throw flaw("a string without end")
  }

  private mutating func escape() throws(MartletError) -> Unicode.Scalar {
    guard offset < bytes.count else { throw flaw("a string without end") }
    let byte = bytes[offset]
    offset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let first = try codeUnit()
      if let scalar = Unicode.Scalar(first) { return scalar }
      guard first < 0xDC00, passesEscapeStart() else { throw flaw("half a surrogate pair") }
      let second = try codeUnit()
      guard second >= 0xDC00, second < 0xE000,
        let scalar = Unicode.Scalar(
          0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00))
      else { throw flaw("half a surrogate pair") }
      return scalar
    default: throw flaw("an unknown escape")
    }
  }

  private mutating func passesEscapeStart() -> Bool {
    guard bytes.count - offset >= 2, bytes[offset] == UInt8(ascii: "\\"),
      bytes[offset + 1] == UInt8(ascii: "u")
    else { return false }
    offset += 2
    return true
  }

  private mutating func codeUnit() throws(MartletError) -> UInt16 {
    guard bytes.count - offset >= 4 else { throw flaw("an escape is cut off") }
    var value: UInt16 = 0
    for index in offset..<(offset + 4) {
      guard let digit = Character(Unicode.Scalar(bytes[index])).hexDigitValue else {
        throw flaw("an escape without four hexadecimal digits")
      }
      value = value << 4 | UInt16(digit)
    }
    offset += 4
    return value
  }
}
