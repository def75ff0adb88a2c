/// Columns of text that fit a width; numbers to the right.
///
/// What does not fit is folded, gently first: headers over several lines, then long lists in cells, and
/// at last the columns that are left over under the others, beside the first column again.
package struct TextTable: Sendable {
  private let header: [String]
  private var rows: [[String]] = []

  /// A table with these columns.
  package init(_ header: String...) { self.init(header) }

  /// A table with these columns.
  package init(_ header: [String]) { self.header = header.map(VisibleText.visible) }

  /// Adds a row; cells that are missing are empty, and more than there are columns are left out.
  package mutating func add(_ cells: String...) { add(cells) }

  /// Adds a row; cells that are missing are empty, and more than there are columns are left out.
  package mutating func add(_ cells: [String]) {
    rows.append(
      header.indices.map { $0 < cells.count ? VisibleText.visible(cells[$0]) : "" })
  }

  /// The rows under the header, two spaces between columns.
  ///
  /// - Parameter width: how many columns of characters there are. One word that needs more takes more.
  package func text(width: Int) -> String {
    // Headers of a word a line are for tables that fit only so.
    let candidates = [TextTable.readable, 0].map { fitting(width, narrowestHeader: $0) }
    if let columns = candidates.first(where: { TextTable.total($0) <= width || $0.count < 3 }) {
      return lines(columns).joined(separator: "\n")
    }
    return blocks(candidates[0], width).map { lines($0).joined(separator: "\n") }
      .joined(separator: "\n\n")
  }

  // MARK: Folding

  /// One column with its cells, each of one line or more.
  private struct Column {
    var header: [String]
    var cells: [[String]]
    var isNumber: Bool

    var width: Int {
      (header + cells.joined()).map(VisibleText.width).max() ?? 0
    }
  }

  /// Headers are not made narrower than this, if that helps.
  private static let readable = 9
  /// Lists in cells are not made narrower than this.
  private static let narrowest = 16

  /// The columns, made narrower where that is needed and possible.
  private func fitting(_ width: Int, narrowestHeader: Int) -> [Column] {
    var columns = header.indices.map { index in
      let cells = rows.map { $0[index] }
      return Column(
        header: [header[index]], cells: cells.map { [$0] },
        isNumber: cells.allSatisfy {
          $0.first.map { $0.isNumber || "-+~".contains($0) } ?? true
        })
    }
    func excess() -> Int { TextTable.total(columns) - width }
    if excess() > 0 {
      // As narrow as the cells and the headers' longest words.
      for index in columns.indices {
        let body = columns[index].cells.joined().map(VisibleText.width).max() ?? 0
        columns[index].header = TextFolding.lines(
          header[index], width: max(body, narrowestHeader))
      }
    }
    func fold(_ index: Int, to goal: Int) {
      columns[index].cells = columns[index].cells.map {
        $0.flatMap { TextFolding.lines($0, width: goal) }
      }
      columns[index].header = TextFolding.lines(header[index], width: goal)
    }
    let lists = columns.indices.filter { !columns[$0].isNumber }
      .sorted { columns[$0].width > columns[$1].width }
    for index in lists where excess() > 0 && columns[index].width > TextTable.narrowest {
      fold(index, to: max(TextTable.narrowest, columns[index].width - excess()))
    }
    // What is still too wide beside the first column alone.
    for index in columns.indices.dropFirst() where excess() > 0 {
      let room = max(width - columns[0].width - 2, TextTable.narrowest)
      if columns[index].width > room { fold(index, to: room) }
    }
    return columns
  }

  /// How wide columns are with what stands between them.
  private static func total(_ columns: [Column]) -> Int {
    columns.reduce(-2) { $0 + $1.width + 2 }
  }

  /// The columns in groups that fit, each beside the first column.
  private func blocks(_ columns: [Column], _ width: Int) -> [[Column]] {
    var blocks: [[Column]] = []
    var room = 0
    for column in columns.dropFirst() {
      if blocks.isEmpty || room < column.width + 2 {
        blocks.append([columns[0]])
        room = width - columns[0].width
      }
      blocks[blocks.count - 1].append(column)
      room -= column.width + 2
    }
    return blocks
  }

  private func lines(_ columns: [Column]) -> [String] {
    let widths = columns.map(\.width)
    let tallest = columns.map(\.header.count).max() ?? 0
    // Headers stand on their columns.
    let headers = columns.map { column in
      [String](repeating: "", count: tallest - column.header.count) + column.header
    }
    let cells = [headers] + rows.indices.map { row in columns.map { $0.cells[row] } }
    return cells.flatMap { cells -> [String] in
      (0..<(cells.map(\.count).max() ?? 0)).map { number in
        line(columns, widths) { number < cells[$0].count ? cells[$0][number] : "" }
      }
    }
  }

  private func line(
    _ columns: [Column], _ widths: [Int], _ cell: (Int) -> String
  ) -> String {
    let padded = columns.indices.map { index in
      let text = cell(index)
      let padding = String(repeating: " ", count: widths[index] - VisibleText.width(text))
      return columns[index].isNumber ? padding + text : text + padding
    }
    var line = padded.joined(separator: "  ")
    while line.last == " " { line.removeLast() }
    return line
  }
}
