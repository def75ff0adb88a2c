/// The elements that charts are drawn with.
enum SVGShape {
  /// About what a letter of the 12 px font takes.
  static let letter = 6.8
  /// How lines that are no data look.
  static let dashes = "stroke-dasharray=\"6 4\" stroke-width=\"1.5\""

  /// A whole file: dark on white, or light on dark where the reader prefers that, and never wider than
  /// the window. A page that it is put into needs no rules of its own for it.
  ///
  /// - Parameter spoken: what a reader with a screen reader needs.
  static func document(
    title: String, spoken: String, width: Double, height: Double, body: String
  ) -> String {
    let size = (SVGText.number(width), SVGText.number(height))
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(size.0)" height="\(size.1)" \
      viewBox="0 0 \(size.0) \(size.1)" role="img" aria-labelledby="title description" \
      class="martlet-chart" style="max-width:100%;height:auto" \
      font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif" font-size="12">
      <title id="title">\(SVGText.escape(title))</title>
      <desc id="description">\(SVGText.escape(spoken))</desc>
      <style>\(SVGColours.darkRules)</style>
      <rect width="100%" height="100%" fill="\(SVGColours.paper)"/>

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
    "<text x=\"\(SVGText.number(x))\" y=\"\(SVGText.number(y))\" fill=\"\(SVGColours.ink)\""
      + "\(extra.isEmpty ? "" : " " + extra)>\(SVGText.escape(text))</text>\n"
  }
}
