/// A table with a title and notes, for terminals, Markdown and spreadsheets.
package struct TitledTable: Sendable, Equatable {
  /// Above it.
  package var title: String
  /// What stands above the columns.
  package var header: [String]
  /// The cells, as text.
  package var rows: [[String]] = []
  /// Below it.
  package var notes: [String] = []

  /// A table without rows.
  package init(_ title: String, _ header: [String]) {
    self.title = title
    self.header = header
  }

  /// For terminals of so many columns.
  package func text(width: Int) -> String {
    var table = TextTable(header)
    for row in rows { table.add(row) }
    return
      ([TextFolding.paragraph(VisibleText.visible(title), width: width)]
      + [table.text(width: width)]
      + notes.map {
        TextFolding.paragraph("  " + VisibleText.visible($0), width: width, hanging: 2)
      }).joined(separator: "\n")
  }

  /// For documents.
  package var markdown: String {
    func line(_ cells: [String]) -> String {
      "| " + cells.map(TitledTable.escaped).joined(separator: " | ") + " |"
    }
    let lines =
      ["### \(VisibleText.visible(title))", "", line(header), line(header.map { _ in "---" })]
      + rows.map(line)
    return
      (lines
      + (notes.isEmpty ? [] : [""] + notes.map { "- " + VisibleText.visible($0) }))
      .joined(separator: "\n")
  }

  /// For spreadsheets.
  package var csv: String { ([header] + rows).map(CSVText.line).joined(separator: "\n") }

  private static func escaped(_ cell: String) -> String {
    VisibleText.visible(cell).split(separator: "|", omittingEmptySubsequences: false)
      .joined(separator: "\\|")
  }
}
