import JSONCoding

/// A table of a report, for terminals, Markdown and spreadsheets.
struct ReportTable: Encodable {
  /// Above it.
  var title: String
  /// What stands above the columns.
  var header: [String]
  /// The cells, as text.
  var rows: [[String]] = []
  /// Below it.
  var notes: [String] = []

  init(_ title: String, _ header: [String]) {
    self.title = title
    self.header = header
  }

  /// For terminals.
  var text: String {
    var table = TextTable(header)
    for row in rows { table.add(row) }
    return ([title, table.text] + notes.map { "  " + $0 }).joined(separator: "\n")
  }

  /// For documents.
  var markdown: String {
    func line(_ cells: [String]) -> String {
      "| "
        + cells.map { $0.split(separator: "|").joined(separator: "\\|") }.joined(separator: " | ")
        + " |"
    }
    let lines =
      ["### \(title)", "", line(header), line(header.map { _ in "---" })] + rows.map(line)
    return (lines + (notes.isEmpty ? [] : [""] + notes.map { "- " + $0 })).joined(separator: "\n")
  }

  /// For spreadsheets.
  var csv: String { ([header] + rows).map(CSVText.line).joined(separator: "\n") }
}
