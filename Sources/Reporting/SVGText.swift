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

/// The values at which an axis from zero is marked.
struct AxisTicks {
  /// Ascending, from 0 to at least the largest value.
  let values: [Double]

  /// - Parameter maximum: the largest value to show; other numbers than positive ones count as 1.
  init(maximum: Double) {
    let maximum = maximum.isFinite && maximum > 0 ? maximum : 1
    var step = 1.0
    while step * 10 <= maximum { step *= 10 }
    while step > maximum { step /= 10 }
    // Five to ten steps of 1, 2 or 5 times a power of ten.
    if maximum / step < 2 { step /= 5 } else if maximum / step < 5 { step /= 2 }
    let count = Int((maximum / step - 1e-9).rounded(.up))
    values = (0...count).map { Double($0) * step }
  }
}
