/// The Python dictionary at the start of a `.npy` file.
struct NumpyHeader {
  var type = ""
  var isFortranOrder = false
  var shape: [Int] = []

  /// Parses the text; nil for anything but the three known members, each once.
  init?(_ text: [UInt8]) {
    var scanner = Scanner(rest: text[...])
    var seen: Set<String> = []
    guard scanner.passes("{") else { return nil }
    while !scanner.passes("}") {
      guard let name = scanner.string(), seen.insert(name).inserted, scanner.passes(":") else {
        return nil
      }
      switch name {
      case "descr":
        guard let value = scanner.string() else { return nil }
        type = value
      case "fortran_order":
        isFortranOrder = scanner.passes("True")
        guard isFortranOrder || scanner.passes("False") else { return nil }
      case "shape":
        guard let value = scanner.tuple() else { return nil }
        shape = value
      default: return nil
      }
      guard scanner.passes(",") || scanner.isBefore("}") else { return nil }
    }
    guard seen.count == 3, scanner.isAtEnd else { return nil }
  }

  private struct Scanner {
    var rest: ArraySlice<UInt8>

    private mutating func skipSpace() {
      rest = rest.drop { $0 == 0x20 || $0 == 0x0A }
    }

    var isAtEnd: Bool {
      mutating get {
        skipSpace()
        return rest.isEmpty
      }
    }

    mutating func isBefore(_ word: String) -> Bool {
      skipSpace()
      return rest.starts(with: word.utf8)
    }

    mutating func passes(_ word: String) -> Bool {
      guard isBefore(word) else { return false }
      rest = rest.dropFirst(word.utf8.count)
      return true
    }

    mutating func string() -> String? {
      skipSpace()
      guard let quote = rest.first, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
        return nil
      }
      rest = rest.dropFirst()
      guard let end = rest.firstIndex(of: quote) else { return nil }
      defer { rest = rest[(end + 1)...] }
      return String(validating: rest[..<end], as: UTF8.self)
    }

    mutating func tuple() -> [Int]? {
      guard passes("(") else { return nil }
      var values: [Int] = []
      while !passes(")") {
        skipSpace()
        let digits = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }
        guard values.count < 32, let value = Int(String(decoding: digits, as: UTF8.self)) else {
          return nil
        }
        values.append(value)
        rest = rest.dropFirst(digits.count)
        guard passes(",") || isBefore(")") else { return nil }
      }
      return values
    }
  }
}
