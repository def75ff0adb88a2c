import TensorFiles

/// An article of the handbook, with the blocks that its comments mark: `<!-- example: Heartbeat -->`
/// before a block of code, `<!-- fields: Heartbeat -->` before a table.
struct Article {
  /// A table without its heading: the cells of each row.
  typealias Table = [[String]]

  /// The text.
  let text: String

  /// The article of this name in the catalogue, beside this file's package.
  init(_ name: String) throws {
    text = try FileSystem.readText(Article.package + "/Sources/Handbook/Handbook.docc/\(name).md")
  }

  /// The folder of the package.
  static let package = FileSystem.folder(
    of: FileSystem.folder(of: FileSystem.folder(of: #filePath)))

  /// The marked kind, such as `example: Heartbeat`, and the lines of the block behind it.
  private var blocks: [(mark: String, lines: [Substring])] {
    var result: [(mark: String, lines: [Substring])] = []
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      guard line.hasPrefix("<!-- "), line.hasSuffix(" -->") else { continue }
      let rest = lines[(index + 1)...].drop { $0.isEmpty }
      let isCode = rest.first?.hasPrefix("```") == true
      let body = isCode ? rest.dropFirst().prefix { $0 != "```" } : rest.prefix { !$0.isEmpty }
      result.append((String(line.dropFirst(5).dropLast(4)), Array(body)))
    }
    return result
  }

  /// What the comments mark, in order.
  var marks: [String] { blocks.map(\.mark) }

  /// The examples of a kind.
  func examples(_ kind: String) -> [String] {
    blocks.filter { $0.mark == "example: \(kind)" }.map { $0.lines.joined(separator: "\n") }
  }

  /// The rows of a marked table.
  func table(_ mark: String) -> Table {
    blocks.filter { $0.mark == mark }.flatMap { block in
      block.lines.dropFirst(2).map { line in
        line.split(separator: "|", omittingEmptySubsequences: true).map {
          String($0.trimmed)
        }
      }
    }
  }

  /// The names in backticks of the first cells of a marked table.
  func names(_ mark: String) -> [String] { table(mark).flatMap { $0[0].codeWords } }
}

extension StringProtocol {
  /// Without spaces at both ends.
  var trimmed: SubSequence {
    let start = firstIndex { $0 != " " } ?? endIndex
    let end = lastIndex { $0 != " " }.map { index(after: $0) } ?? start
    return self[start..<end]
  }

  /// What stands in backticks.
  var codeWords: [String] {
    split(separator: "`", omittingEmptySubsequences: false).enumerated()
      .filter { !$0.offset.isMultiple(of: 2) }.map { String($0.element) }
  }
}
