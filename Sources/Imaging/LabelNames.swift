public import TensorCore
import TensorFiles

/// The names of a model's classes by label.
public struct LabelNames: Sendable, Equatable {
  /// The name of each label; empty where none is known.
  public let names: [String]

  /// Makes names from a list.
  public init(_ names: [String]) { self.names = names }

  /// The most labels that are read.
  static let maximumCount = 1 << 20

  /// Reads one name per line, or lines of `label<TAB>name`, or a table whose first line names its
  /// columns, `label` and `name` among them.
  public static func read(_ path: String) throws(MartletError) -> LabelNames {
    let table = try Table(FileSystem.readText(path), source: path)
    if table.rows.allSatisfy({ $0.count == 1 }) { return LabelNames(table.rows.map { $0[0] }) }
    let label = table.column("label") ?? 0
    let name = table.column("name") ?? (table.rows.map(\.count).min() ?? 1) - 1
    var names: [Int: String] = [:]
    for (index, row) in table.rows.enumerated() {
      guard row.count > max(label, name), let number = table.label(row[label]) else {
        throw MartletError(
          .invalidFile, "a line of a labels file has no label",
          context: ["file": path, "line": "\(table.line(of: index))"])
      }
      names[number] = row[name]
    }
    return LabelNames(byLabel: names)
  }

  /// Makes names from pairs; labels between them have empty names.
  init(byLabel names: [Int: String]) {
    let count = (names.keys.max() ?? -1) + 1
    self.names = (0..<count).map { names[$0] ?? "" }
  }

  /// The name of a label, or nil if none is known.
  public subscript(label: Int) -> String? {
    guard names.indices.contains(label), !names[label].isEmpty else { return nil }
    return names[label]
  }

  /// The label of a name.
  public func label(of name: String) -> Int? { names.firstIndex(of: name) }
}

/// Lines of fields between tabs; the first line may name the columns.
struct Table {
  private(set) var rows: [[String]]
  private var columns: [String] = []

  /// - Throws: `invalidFile` when there are no lines.
  init(_ text: String, source: String) throws(MartletError) {
    rows = text.split(whereSeparator: \.isNewline).map { line in
      line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }
    if let first = rows.first, first.contains("label") || first.contains("file") {
      columns = first
      rows.removeFirst()
    }
    guard !rows.isEmpty else {
      throw MartletError(.invalidFile, "a labels file is empty", context: ["file": source])
    }
  }

  func column(_ name: String) -> Int? { columns.firstIndex(of: name) }

  /// The line of a row in the file, from 1.
  func line(of row: Int) -> Int { row + (columns.isEmpty ? 1 : 2) }

  /// A label as a number that can be an index.
  func label(_ text: String) -> Int? {
    guard let value = Int(text), (0..<LabelNames.maximumCount).contains(value) else { return nil }
    return value
  }
}
