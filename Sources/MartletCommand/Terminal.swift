import Glibc
import JSONCoding
import TensorCore

/// Writing for people: colours and progress only where a terminal shows them.
enum Terminal {
  /// Whether standard error is a terminal that shows colours.
  static let isInteractive: Bool = {
    isatty(STDERR_FILENO) == 1 && getenv("NO_COLOR") == nil
      && getenv("TERM").map { strcmp($0, "dumb") != 0 } ?? false
  }()

  /// Whether standard output is a terminal.
  static let isOutputInteractive: Bool = {
    isatty(STDOUT_FILENO) == 1 && getenv("TERM").map { strcmp($0, "dumb") != 0 } ?? false
  }()

  /// A line on standard error, in red on a terminal.
  static func printError(_ error: MartletError) {
    let text = "martlet: error: \(error)"
    printLine(isInteractive ? "\u{1B}[31m\(text)\u{1B}[0m" : text)
  }

  /// A line on standard error.
  static func printLine(_ text: String) { write(text + "\n") }

  /// One line of progress that replaces the last on a terminal; nothing elsewhere.
  static func progress(_ text: String) {
    guard isInteractive else { return }
    write("\r\u{1B}[2K" + text)
  }

  /// Ends a line of progress.
  static func endProgress() {
    guard isInteractive else { return }
    write("\r\u{1B}[2K")
  }

  /// Writes to standard error; a closed or full one is nobody's error.
  private static func write(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count)
    }
  }

  /// Prints JSON on standard output.
  static func printJSON<Value: Encodable>(_ value: Value) throws(MartletError) {
    print(try JSON.encodeString(value))
  }
}

/// Columns of text; numbers to the right.
struct TextTable {
  private var rows: [[String]] = []
  private let header: [String]

  init(_ header: String...) { self.init(header) }

  init(_ header: [String]) { self.header = header }

  mutating func add(_ cells: String...) { add(cells) }

  mutating func add(_ cells: [String]) { rows.append(cells) }

  /// The rows under the header, two spaces between columns.
  var text: String {
    let all = [header] + rows
    let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    let isNumber = header.indices.map { column in
      rows.allSatisfy { $0[column].first.map { $0.isNumber || $0 == "-" || $0 == "+" } ?? true }
    }
    return all.map { row in
      let cells = row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        return isNumber[column] ? padding + row[column] : row[column] + padding
      }
      var line = cells.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }.joined(separator: "\n")
  }
}

extension Double {
  /// With a fixed number of decimals.
  func formatted(_ decimals: Int) -> String {
    guard isFinite else { return "-" }
    let scale = pow(10.0, Double(decimals))
    let rounded = (magnitude * scale).rounded()
    guard rounded < 1e15 else { return "\(self)" }
    let whole = Int(rounded / scale)
    let fraction = Int(rounded) - whole * Int(scale)
    let digits = String(fraction)
    let sign = self < 0 && rounded > 0 ? "-" : ""
    guard decimals > 0 else { return sign + "\(whole)" }
    return sign + "\(whole)." + String(repeating: "0", count: decimals - digits.count) + digits
  }
}

extension Int {
  /// Bytes as people write them: `3.2 MB`.
  var asBytes: String {
    switch self {
    case ..<1000: "\(self) B"
    case ..<1_000_000: (Double(self) / 1e3).formatted(1) + " kB"
    case ..<1_000_000_000: (Double(self) / 1e6).formatted(1) + " MB"
    default: (Double(self) / 1e9).formatted(2) + " GB"
    }
  }

  /// Counts as people write them: `3.2 M`.
  var asCount: String {
    switch self {
    case ..<10_000: "\(self)"
    case ..<1_000_000: (Double(self) / 1e3).formatted(1) + " k"
    case ..<1_000_000_000: (Double(self) / 1e6).formatted(1) + " M"
    default: (Double(self) / 1e9).formatted(2) + " G"
    }
  }
}

extension Duration {
  /// In milliseconds.
  var inMilliseconds: Double {
    Double(components.seconds) * 1e3 + Double(components.attoseconds) / 1e15
  }
}
