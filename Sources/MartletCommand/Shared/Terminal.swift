import Foundations
import Glibc
import JSONCoding
import Processes
import Tables

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

  /// How many columns tables may take: as many as the terminal on standard output has, or as
  /// `COLUMNS` says, else 80.
  static var columns: Int {
    if isatty(STDOUT_FILENO) == 1 { return max(TerminalSize(of: STDOUT_FILENO).columns, 40) }
    return getenv("COLUMNS").flatMap { Int(String(cString: $0)) }.map { max($0, 40) } ?? 80
  }

  /// Whether somebody is there to be asked.
  static var canAsk: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

  /// Asks a question on standard error and reads the answer; anything but yes is no.
  static func confirm(_ question: String) -> Bool {
    write("martlet: \(question) [y/N] ")
    return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
  }

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

  /// A line on standard output.
  ///
  /// - Throws: as `StandardOutput.write`.
  static func print(_ text: String) throws(MartletError) { try StandardOutput.write(text + "\n") }

  /// Prints JSON on standard output, on one line.
  ///
  /// - Throws: as `StandardOutput.write`.
  static func printJSON<Value: Encodable>(_ value: Value) throws(MartletError) {
    try print(try JSON.encodeString(value))
  }
}

extension TextTable {
  /// As wide as the terminal allows.
  var text: String { text(width: Terminal.columns) }
}

extension TitledTable {
  /// As wide as the terminal allows.
  var text: String { text(width: Terminal.columns) }
}

extension String {
  /// A paragraph as wide as the terminal allows; further lines begin with two more spaces.
  var folded: String { TextFolding.paragraph(self, width: Terminal.columns, hanging: 2) }
}
