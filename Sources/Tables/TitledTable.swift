/// A table with a title and notes, for terminals, Markdown and spreadsheets.
public struct TitledTable: Sendable, Equatable {
  /// Above it.
  public var title: String
  /// What stands above the columns.
  public var header: [String]
  /// The cells, as text.
  public var rows: [[String]] = []
  /// Below it.
  public var notes: [String] = []

  /// A table without rows.
  public init(_ title: String, _ header: [String]) {
    self.title = title
    self.header = header
  }

  /// For terminals of so many columns.
  public func text(width: Int) -> String {
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
  public var markdown: String {
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
  public var csv: String { ([header] + rows).map(CSVText.line).joined(separator: "\n") }

  private static func escaped(_ cell: String) -> String {
    VisibleText.visible(cell).split(separator: "|", omittingEmptySubsequences: false)
      .joined(separator: "\\|")
  }
}
