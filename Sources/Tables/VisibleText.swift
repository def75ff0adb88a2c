/// Foreign text on a terminal: what it may hold and how wide it is.
package enum VisibleText {
  /// The text with control characters, line separators and changes of direction as `\u{…}`.
  package static func visible(_ text: String) -> String {
    replacingInvisible(in: text) { "\\u{\(String($0.value, radix: 16))}" }
  }

  /// JSON text in which the same characters, which can only stand in strings, are `\uXXXX`.
  package static func visibleJSON(_ text: String) -> String {
    replacingInvisible(in: text) { scalar in
      String(scalar).utf16.reduce(into: "") { result, unit in
        let digits = String(unit, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
  }

  private static func replacingInvisible(
    in text: String, _ replacement: (Unicode.Scalar) -> String
  ) -> String {
    if text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      if isVisible(scalar) {
        result.unicodeScalars.append(scalar)
      } else {
        result += replacement(scalar)
      }
    }
    return result
  }

  /// How many columns a terminal needs for visible text.
  package static func width(_ text: String) -> Int {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return text.unicodeScalars.reduce(0) { $0 + width($1) }
  }

  /// As much of visible text as fits into that many columns.
  package static func prefix(_ text: String, _ columns: Int) -> String {
    var result = ""
    var room = columns
    for scalar in text.unicodeScalars {
      room -= width(scalar)
      if room < 0 { break }
      result.unicodeScalars.append(scalar)
    }
    return result
  }

  private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
      .unassigned:
      false
    default: true
    }
  }

  /// Marks take no column of their own; East Asian characters and pictures take two.
  private static func width(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.value {
    case ..<0x300: return 1
    case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
      return 2
    default:
      switch scalar.properties.generalCategory {
      case .nonspacingMark, .enclosingMark: return 0
      default: return 1
      }
    }
  }
}
