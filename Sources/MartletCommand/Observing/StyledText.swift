import Tables

/// Text of which a terminal shows parts in colour, and in which nothing foreign can steer it.
package struct StyledText: Equatable, Sendable {
  /// What a piece of text means; a terminal shows it by colour.
  package enum Style: String, Sendable {
    case plain
    case dim = "2"
    case bold = "1"
    case good = "32"
    case warning = "33"
    case bad = "31"
    case name = "36"
    case string = "92"
    case number = "94"
    case reverse = "7"
  }

  private struct Span: Equatable, Sendable {
    var text: String
    var style: Style
  }

  private var spans: [Span] = []
  /// How many columns a terminal needs.
  package private(set) var width = 0

  /// Nothing yet.
  package init() {}

  /// One piece.
  package init(_ text: String, _ style: Style = .plain) { append(text, style) }

  /// Adds a piece; what could steer a terminal becomes visible.
  package mutating func append(_ text: String, _ style: Style = .plain) {
    let visible = VisibleText.visible(text)
    width += VisibleText.width(visible)
    spans.append(Span(text: visible, style: style))
  }

  /// Adds spaces until `column`.
  package mutating func pad(to column: Int) {
    if width < column { append(String(repeating: " ", count: column - width)) }
  }

  /// The first `columns` columns.
  package func prefix(_ columns: Int) -> StyledText {
    guard width > columns else { return self }
    var cut = StyledText()
    for span in spans where cut.width < columns {
      cut.append(VisibleText.prefix(span.text, columns - cut.width), span.style)
    }
    return cut
  }

  /// The text without colours.
  package var plain: String { spans.map(\.text).joined() }

  /// The text with a terminal's colours.
  package var coloured: String {
    spans.map { span in
      span.style == .plain || span.text.isEmpty
        ? span.text : "\u{1B}[\(span.style.rawValue)m\(span.text)\u{1B}[0m"
    }.joined()
  }
}
