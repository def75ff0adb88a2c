/// A place where a document breaks a rule that json-c's strict mode does not enforce.
struct LexicalFlaw {
  var offset: Int
  var reason: String
}

func isJSONSpace(_ byte: UInt8) -> Bool {
  byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
}

/// Looks for what json-c 0.16 would accept or silently change: invalid UTF-8, control characters,
/// `NaN` and `Infinity`, numbers with other than JSON's grammar, integers beyond 64 bits (which it
/// saturates) and names with a NUL (which it cuts short).
///
/// Runs once over the bytes, without recursion; the grammar of the document is json-c's business.
func lexicalFlaw(_ bytes: UnsafeRawBufferPointer) -> LexicalFlaw? {
  if let offset = invalidUTF8Offset(bytes) {
    return LexicalFlaw(offset: offset, reason: "invalid UTF-8")
  }
  var scan = LexicalScan(bytes: bytes)
  while scan.offset < bytes.count {
    if let reason = scan.step() {
      return LexicalFlaw(offset: min(scan.offset, bytes.count), reason: reason)
    }
  }
  return nil
}

private func invalidUTF8Offset(_ bytes: UnsafeRawBufferPointer) -> Int? {
  do {
    _ = try UTF8Span(validating: bytes.bindMemory(to: UInt8.self).span)
    return nil
  } catch {
    return error.byteOffsets.lowerBound
  }
}

private struct LexicalScan {
  let bytes: UnsafeRawBufferPointer
  var offset = 0

  init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// Passes one token or one byte of punctuation; returns what is wrong with it.
  mutating func step() -> String? {
    let byte = bytes[offset]
    switch byte {
    case UInt8(ascii: "\""):
      return string()
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      return number()
    case UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "["), UInt8(ascii: "]"),
      UInt8(ascii: ","), UInt8(ascii: ":"):
      offset += 1
      return nil
    case UInt8(ascii: "t"): return word("true")
    case UInt8(ascii: "f"): return word("false")
    case UInt8(ascii: "n"): return word("null")
    default:
      guard isJSONSpace(byte) else { return "unexpected character" }
      offset += 1
      return nil
    }
  }

  private mutating func word(_ expected: StaticString) -> String? {
    let length = expected.utf8CodeUnitCount
    guard bytes.count - offset >= length else { return "the document ends early" }
    for index in 0..<length where bytes[offset + index] != expected.utf8Start[index] {
      return "unexpected word"
    }
    offset += length
    return nil
  }

  private mutating func string() -> String? {
    var holdsNUL = false
    let start = offset
    offset += 1
    while offset < bytes.count {
      let byte = bytes[offset]
      if byte == UInt8(ascii: "\"") {
        offset += 1
        if holdsNUL, isName() {
          offset = start
          return "a name holds a NUL"
        }
        return nil
      }
      if byte < 0x20 { return "a control character in a string" }
      if byte == UInt8(ascii: "\\") {
        holdsNUL = holdsNUL || isEscapedNUL()
        offset += 1
      }
      offset += 1
    }
    return "a string without end"
  }

  private func isEscapedNUL() -> Bool {
    bytes.count - offset >= 6 && bytes[offset + 1] == UInt8(ascii: "u")
      && bytes[(offset + 2)..<(offset + 6)].allSatisfy { $0 == UInt8(ascii: "0") }
  }

  private func isName() -> Bool {
    bytes[offset...].first { !isJSONSpace($0) } == UInt8(ascii: ":")
  }

  private mutating func number() -> String? {
    let isNegative = bytes[offset] == UInt8(ascii: "-")
    if isNegative { offset += 1 }
    let start = offset
    var magnitude: UInt64 = 0
    var overflows = false
    while let digit = digit() {
      let (product, first) = magnitude.multipliedReportingOverflow(by: 10)
      let (sum, second) = product.addingReportingOverflow(digit)
      overflows = overflows || first || second
      magnitude = sum
    }
    guard offset > start else { return "a number without digits" }
    if offset - start > 1, bytes[start] == UInt8(ascii: "0") {
      return "a number with a leading zero"
    }
    var isInteger = true
    if peek == UInt8(ascii: ".") {
      isInteger = false
      offset += 1
      guard digits() else { return "a number without digits after the point" }
    }
    if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
      isInteger = false
      offset += 1
      if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { offset += 1 }
      guard digits() else { return "a number without digits in its exponent" }
    }
    if isInteger, overflows || (isNegative && magnitude > UInt64(1) << 63) {
      offset = start
      return "an integer beyond 64 bits"
    }
    return nil
  }

  private var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private mutating func digit() -> UInt64? {
    guard let byte = peek, byte >= 0x30, byte <= 0x39 else { return nil }
    offset += 1
    return UInt64(byte - 0x30)
  }

  private mutating func digits() -> Bool {
    let start = offset
    while digit() != nil {}
    return offset > start
  }
}
