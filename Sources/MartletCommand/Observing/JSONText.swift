package import JSONCoding

/// A JSON document on one line, with colours.
package enum JSONText {
  /// Appends a document to a line; what goes beyond `limit` columns is left out.
  ///
  /// - Returns: whether all of it is there.
  @discardableResult
  package static func append(_ value: JSONValue, to line: inout StyledText, limit: Int) -> Bool {
    guard line.width < limit else { return false }
    switch value {
    case .null: line.append("null", .dim)
    case .bool(let value): line.append(value ? "true" : "false", .number)
    case .integer(let value): line.append("\(value)", .number)
    case .number(let value): line.append("\(value)", .number)
    case .string(let text): return append(text, .string, to: &line, limit: limit)
    case .array(let values):
      line.append("[")
      for (index, value) in values.enumerated() {
        if index > 0 { line.append(",") }
        guard append(value, to: &line, limit: limit) else { return false }
      }
      line.append("]")
    case .object(let members):
      line.append("{")
      for (index, member) in members.enumerated() {
        if index > 0 { line.append(",") }
        guard append(member.name, .name, to: &line, limit: limit) else { return false }
        line.append(":")
        guard append(member.value, to: &line, limit: limit) else { return false }
      }
      line.append("}")
    }
    return true
  }

  private static func append(
    _ text: String, _ style: StyledText.Style, to line: inout StyledText, limit: Int
  ) -> Bool {
    // One character may take twelve columns when it is escaped; cutting comes afterwards.
    let start = text.prefix(max(0, limit - line.width))
    // A string can always be encoded.
    line.append((try? JSON.encodeString(String(start))) ?? "\"\"", style)
    return start.count == text.count && line.width <= limit
  }
}
