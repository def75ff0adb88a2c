/// Reads along a byte buffer; every step either advances or says no.
struct ByteCursor {
  private let base: UnsafeRawPointer
  private let count: Int
  private var position = 0

  init?(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return nil }
    self.base = base
    count = bytes.count
  }

  /// The next byte, or zero at the end.
  private var next: UInt8 {
    position < count ? base.load(fromByteOffset: position, as: UInt8.self) : 0
  }

  mutating func skip(_ text: StaticString) -> Bool {
    let length = text.utf8CodeUnitCount
    guard length <= count - position else { return false }
    let expected = text.utf8Start
    for index in 0..<length
    where base.load(fromByteOffset: position + index, as: UInt8.self) != expected[index] {
      return false
    }
    position += length
    return true
  }

  /// An unsigned decimal number of at most 18 digits, without leading zeros.
  mutating func decimal() -> Int? {
    let start = position
    let startsWithZero = next == UInt8(ascii: "0")
    var value = 0
    while position - start < 18, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next) {
      value = value * 10 + Int(next - UInt8(ascii: "0"))
      position += 1
    }
    let digits = position - start
    return digits == 1 || (digits > 1 && !startsWithZero) ? value : nil
  }

  /// Plain ASCII text up to the next quotation mark, which stays.
  mutating func text(atMost limit: Int) -> String? {
    let start = position
    while (0x20...0x7e).contains(next), next != UInt8(ascii: "\""), next != UInt8(ascii: "\\") {
      position += 1
      guard position - start <= limit else { return nil }
    }
    guard next == UInt8(ascii: "\"") else { return nil }
    let bytes = UnsafeRawBufferPointer(start: base + start, count: position - start)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Decimal numbers separated by commas, perhaps none; at most 16.
  mutating func decimals() -> [Int]? {
    var values: [Int] = []
    guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next) else { return values }
    repeat {
      guard values.count < 16, let value = decimal() else { return nil }
      values.append(value)
    } while skip(",")
    return values
  }

  /// Whether only spaces are left.
  mutating func isAtEnd() -> Bool {
    while next == UInt8(ascii: " ") { position += 1 }
    return position == count
  }
}
