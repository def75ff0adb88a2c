/// The elements that charts are drawn with.
enum SVGShape {
  /// Okabe and Ito's colours, the dark ones first, and then half as strong.
  private static let colours = [
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6bb1", "#666666",
    "#80b9d9", "#f3cf80", "#80cfb9", "#e6bcd3", "#abdaf4", "#eaaf80", "#c6b5d8", "#b3b3b3",
  ]
  private static let referenceColours = ["#c00000", "#444444", "#7a4a00"]
  /// About what a letter of the 12 px font takes.
  static let letter = 6.8
  /// How lines that are no data look.
  static let dashes = "stroke-dasharray=\"6 4\" stroke-width=\"1.5\""

  /// The colour of a series.
  static func colour(_ series: Int) -> String { colours[series % colours.count] }

  /// The colour of a dashed line.
  static func referenceColour(_ number: Int) -> String {
    referenceColours[number % referenceColours.count]
  }

  /// A whole file, white behind what is drawn.
  ///
  /// - Parameter spoken: what a reader with a screen reader needs.
  static func document(
    title: String, spoken: String, width: Double, height: Double, body: String
  ) -> String {
    let size = (SVGText.number(width), SVGText.number(height))
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(size.0)" height="\(size.1)" \
      viewBox="0 0 \(size.0) \(size.1)" role="img" aria-labelledby="title description" \
      font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif" font-size="12">
      <title id="title">\(SVGText.escape(title))</title>
      <desc id="description">\(SVGText.escape(spoken))</desc>
      <rect width="100%" height="100%" fill="#ffffff"/>

      """ + body + "</svg>\n"
  }

  /// - Parameter name: what a pointer on it is told.
  static func rectangle(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, colour: String,
    name: String? = nil
  ) -> String {
    let n = [x, y, width, height].map { SVGText.number($0) }
    let rectangle =
      "<rect x=\"\(n[0])\" y=\"\(n[1])\" width=\"\(n[2])\" height=\"\(n[3])\" fill=\"\(colour)\""
    guard let name else { return rectangle + "/>\n" }
    return rectangle + "><title>\(SVGText.escape(name))</title></rect>\n"
  }

  static func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, colour: String, extra: String = ""
  ) -> String {
    let n = [x1, y1, x2, y2].map { SVGText.number($0) }
    return "<line x1=\"\(n[0])\" y1=\"\(n[1])\" x2=\"\(n[2])\" y2=\"\(n[3])\" "
      + "stroke=\"\(colour)\"\(extra.isEmpty ? "" : " " + extra)/>\n"
  }

  /// A line from point to point.
  static func polyline(
    _ points: [(x: Double, y: Double)], colour: String, extra: String = ""
  ) -> String {
    guard points.count > 1 else { return "" }
    let text = points.map { "\(SVGText.number($0.x)),\(SVGText.number($0.y))" }
    return "<polyline points=\"\(text.joined(separator: " "))\" fill=\"none\" "
      + "stroke=\"\(colour)\"\(extra.isEmpty ? "" : " " + extra)/>\n"
  }

  static func label(_ text: String, x: Double, y: Double, extra: String = "") -> String {
    "<text x=\"\(SVGText.number(x))\" y=\"\(SVGText.number(y))\" fill=\"#222222\""
      + "\(extra.isEmpty ? "" : " " + extra)>\(SVGText.escape(text))</text>\n"
  }
}
