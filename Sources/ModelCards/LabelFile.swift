package import Foundations
import JSONCoding
import TensorFiles

extension LabelNames {
  /// Reads the names of classes from a file.
  ///
  /// Understood are one name a line, lines of `label<TAB>name`, a table whose first line names its
  /// columns (`label` and `name` among them), and JSON: a list of names, or an object of names by label
  /// or of labels by name. A byte-order mark is passed over. In a list a blank line is a class without
  /// a name, so that the ones behind it keep their labels.
  ///
  /// - Throws: `invalidFile` for what is none of these, with a hint for the formats that are common.
  package static func read(_ path: String) throws(MartletError) -> LabelNames {
    let text = try LabelTable.text(try FileSystem.read(path, limit: 16 << 20), path)
    let trimmed = text.drop(while: \.isWhitespace)
    if path.lowercased().hasSuffix(".json") || trimmed.hasPrefix("{") || trimmed.hasPrefix("[") {
      return try LabelNames(json: Array(trimmed.utf8), source: path)
    }
    let table = try LabelTable(text, source: path)
    guard table.isTable else {
      try refuseOtherFormats(table.lines, path)
      return LabelNames(
        table.lines.map { line in
          let start = line.drop(while: \.isWhitespace)
          return String(start.reversed().drop(while: \.isWhitespace).reversed())
        })
    }
    return try LabelNames(table, source: path)
  }

  private init(_ table: LabelTable, source: String) throws(MartletError) {
    let rows = table.rows
    let label = table.column("label") ?? 0
    let name = table.column("name") ?? (rows.map(\.fields.count).min() ?? 1) - 1
    var names: [Int: String] = [:]
    var aliases: [String: Int] = [:]
    for row in rows {
      guard name != label, row.fields.count > max(label, name),
        let number = LabelTable.label(row.fields[label])
      else {
        throw MartletError(
          .invalidFile, "a line of a labels file has no label",
          context: ["file": source, "line": "\(row.line)"],
          hint: "write one name a line, or index<TAB>name on each")
      }
      guard names.updateValue(row.fields[name], forKey: number) == nil else {
        throw MartletError(
          .invalidFile, "a label stands twice in a labels file",
          context: ["file": source, "line": "\(row.line)", "label": "\(number)"])
      }
      for (column, field) in row.fields.enumerated()
      where column != label && column != name && !field.isEmpty { aliases[field] = number }
    }
    self.init(byLabel: names, aliases: aliases)
  }

  private init(json bytes: [UInt8], source: String) throws(MartletError) {
    do {
      try self.init(JSON.decode(JSONValue.self, from: bytes, source: source))
    } catch {
      throw error.code == .invalidArgument
        ? MartletError(
          .invalidFile, "the JSON of a labels file has \(error.message)",
          context: ["file": source],
          hint: #"write ["cat", "dog"], {"0": "cat", "1": "dog"} or {"cat": 0, "dog": 1}"#)
        : error
    }
  }

  /// - Throws: `invalidArgument` saying what there is instead of names.
  private init(_ json: JSONValue) throws(MartletError) {
    func refused(_ what: String) -> MartletError { MartletError(.invalidArgument, what) }
    // A model's card, and the configuration file that others put beside their models.
    if let inner = json["labels"] ?? json["id2label"] {
      try self.init(inner)
      return
    }
    switch json {
    case .array(let values):
      self.init(
        try values.map { value throws(MartletError) in
          guard case .string(let name) = value else { throw refused("something else than names") }
          return name
        })
    case .object(let members):
      var names: [Int: String] = [:]
      for member in members {
        let label: Int?
        let name: String
        switch member.value {
        case .string(let text): (label, name) = (LabelTable.label(member.name), text)
        case .integer(let number): (label, name) = (LabelTable.label("\(number)"), member.name)
        case .array(let parts):
          // {"0": ["n01440764", "tench"]}
          guard case .string(let text) = parts.last else { fallthrough }
          (label, name) = (LabelTable.label(member.name), text)
        default: throw refused("the member \(member.name), which names no class")
        }
        guard let label else { throw refused("the member \(member.name), which names no class") }
        guard names.updateValue(name, forKey: label) == nil else {
          throw refused("label \(label) twice")
        }
      }
      guard !names.isEmpty else { throw refused("no names") }
      self.init(byLabel: names)
    default: throw refused("neither a list nor an object")
    }
  }

  /// Refuses lists and tables of other formats, whose lines would pass for names.
  private static func refuseOtherFormats(
    _ lines: [String], _ path: String
  ) throws(MartletError) {
    let lower = path.lowercased()
    let filled = lines.filter { !$0.isEmpty && !$0.hasPrefix("#") }
    let areItems = filled.allSatisfy { $0.drop { $0 == " " }.hasPrefix("- ") }
    let isYAML = lower.hasSuffix(".yaml") || lower.hasSuffix(".yml") || lines.first == "---"
    let numbered = filled.allSatisfy { line in
      let rest = line.drop { $0 == " " }.drop { $0.isASCII && $0.isNumber }
      return rest.count < line.count && [",", ";", ":"].contains { rest.hasPrefix($0) }
    }
    if isYAML || areItems {
      throw MartletError(
        .invalidFile, "a labels file is YAML, which is not read", context: ["file": path],
        hint: "write one name a line, index<TAB>name lines or JSON")
    }
    if numbered || lower.hasSuffix(".csv") {
      throw MartletError(
        .invalidFile, "a labels file has no tab between index and name", context: ["file": path],
        hint: "write index<TAB>name on each line")
    }
  }
}

/// Lines of fields between tabs; the first line may name the columns.
package struct LabelTable {
  package struct Row {
    /// In the file, from 1.
    package var line: Int
    package var fields: [String]
  }

  /// The lines that are not blank, without the one that names the columns.
  package private(set) var rows: [Row]
  /// All lines up to the last one that is not blank.
  package let lines: [String]
  private var columns: [String] = []

  /// - Throws: `invalidFile` when there are no rows.
  package init(_ text: String, source: String) throws(MartletError) {
    var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map {
      $0.allSatisfy(\.isWhitespace) ? "" : String($0)
    }
    while lines.last == "" { lines.removeLast() }
    self.lines = lines
    rows = lines.enumerated().filter { !$0.element.isEmpty }.map { index, line in
      Row(
        line: index + 1,
        fields: line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init))
    }
    if let first = rows.first?.fields, first.count > 1,
      first.contains("label") || first.contains("file")
    {
      columns = first
      rows.removeFirst()
    }
    guard !rows.isEmpty else {
      throw MartletError(.invalidFile, "a labels file is empty", context: ["file": source])
    }
  }

  /// Whether the lines have fields.
  package var isTable: Bool { !columns.isEmpty || rows.contains { $0.fields.count > 1 } }

  package func column(_ name: String) -> Int? { columns.firstIndex(of: name) }

  /// A label as a number that can be an index.
  package static func label(_ text: String) -> Int? {
    guard let value = Int(text), (0..<LabelNames.maximumCount).contains(value) else { return nil }
    return value
  }

  /// The text of a file without its byte-order mark.
  ///
  /// - Throws: `invalidFile` for what is not UTF-8.
  package static func text(_ bytes: [UInt8], _ source: String) throws(MartletError) -> String {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    guard
      let text = String(
        validating: bytes.starts(with: mark) ? bytes[3...] : bytes[...], as: UTF8.self)
    else {
      throw MartletError(
        .invalidFile, "a labels file is not UTF-8", context: ["file": source],
        hint: "save it again as UTF-8")
    }
    return text
  }
}
