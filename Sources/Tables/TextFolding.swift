/// Text broken into lines at its spaces.
package enum TextFolding {
  /// Lines of at most `width` columns; a word that needs more has a line of its own.
  package static func lines(_ text: String, width: Int) -> [String] {
    guard VisibleText.width(text) > width else { return [text] }
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, VisibleText.width(line) + 1 + VisibleText.width(String(word)) > width {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    return line.isEmpty ? lines : lines + [line]
  }

  /// A paragraph: lines of at most `width` columns, all but the first begun with `hanging` spaces,
  /// behind as many spaces as the text itself begins with.
  package static func paragraph(_ text: String, width: Int, hanging: Int = 0) -> String {
    let indent = text.prefix { $0 == " " }.count
    let margin = String(repeating: " ", count: indent + hanging)
    let body = String(text.dropFirst(indent))
    guard indent + VisibleText.width(body) > width else { return text }
    let first = lines(body, width: width - indent)
    guard hanging > 0, let head = first.first, first.count > 1 else {
      return first.map { margin + $0 }.joined(separator: "\n")
    }
    let rest = first.dropFirst().joined(separator: " ")
    return
      ([String(repeating: " ", count: indent) + head]
      + lines(rest, width: width - margin.count).map { margin + $0 }).joined(separator: "\n")
  }
}
