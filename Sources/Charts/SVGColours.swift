/// The colours of charts, on white and on dark paper.
///
/// Charts are drawn in the colours for white; where the reader prefers a dark screen, rules in the file
/// itself exchange those that would not be seen there. On printed paper nothing is exchanged.
enum SVGColours {
  /// Behind everything, and around markers.
  static let paper = "#ffffff"
  /// Text, axes and whiskers.
  static let ink = "#222222"
  static let axis = "#333333"
  /// Lines across the chart at the marks of an axis.
  static let rule = "#dddddd"

  /// Okabe and Ito's colours, the dark ones first, and then half as strong.
  private static let series = [
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6bb1", "#666666",
    "#80b9d9", "#f3cf80", "#80cfb9", "#e6bcd3", "#abdaf4", "#eaaf80", "#c6b5d8", "#b3b3b3",
  ]
  private static let references = ["#c00000", "#444444", "#7a4a00"]

  /// What a colour becomes on dark paper. Everything else is at least three times as light as it.
  static let dark: [(light: String, dark: String)] = [
    (paper, "#14181c"), (ink, "#e6e9ec"), (axis, "#c4cad0"), (rule, "#384049"),
    ("#0072b2", "#3b9bd4"), ("#666666", "#8a8f94"), ("#c00000", "#ff6b6b"),
    ("#444444", "#bbbbbb"), ("#7a4a00", "#d9a35b"),
  ]

  /// The colour of a series.
  static func series(_ number: Int) -> String { series[number % series.count] }

  /// The colour of a dashed line.
  static func reference(_ number: Int) -> String { references[number % references.count] }

  /// Every colour that a series or a line may have.
  static var all: [String] { series + references + [ink, axis] }

  /// The style sheet of a chart.
  static let darkRules: String = {
    let rules = dark.map { light, dark in
      ".martlet-chart [fill=\"\(light)\"]{fill:\(dark)}.martlet-chart [stroke=\"\(light)\"]{stroke:\(dark)}"
    }
    return "@media screen and (prefers-color-scheme:dark){\(rules.joined())}"
  }()
}
