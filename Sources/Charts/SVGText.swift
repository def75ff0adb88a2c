/// The pieces that SVG files are put together from.
enum SVGText {
  /// Text that may stand between tags and in attributes: marked-up characters are escaped, and those
  /// that XML cannot hold are left out.
  static func escape(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\t", "\n", "\r": result += " "
      case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{FFFE}", "\u{FFFF}": continue
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A number with at most `decimals` decimals and no zeros at its end.
  static func number(_ value: Double, decimals: Int = 2) -> String {
    guard value.isFinite, value.magnitude < 1e12 else { return "0" }
    let scale = (0..<decimals).reduce(1) { factor, _ in factor * 10 }
    let rounded = Int((value.magnitude * Double(scale)).rounded())
    var fraction = String(rounded % scale)
    fraction = String(repeating: "0", count: max(decimals - fraction.count, 0)) + fraction
    while fraction.last == "0" { fraction.removeLast() }
    let sign = value < 0 && rounded > 0 ? "-" : ""
    return sign + String(rounded / scale)
      + (fraction.isEmpty || decimals == 0 ? "" : "." + fraction)
  }
}
