/// Boxes in columns with arrows from left to right, as an SVG file that needs nothing else.
package struct LayeredDiagram: Sendable, Equatable {
  /// One box.
  package struct Box: Sendable, Equatable {
    /// Its lines of text, the first in bold.
    package var lines: [String]
    /// Which column it stands in, from 0.
    package var column: Int
    /// Which colour it has; boxes of one group look alike.
    package var group: Int

    /// Makes a box.
    package init(lines: [String], column: Int, group: Int) {
      self.lines = lines
      self.column = column
      self.group = group
    }
  }

  /// One arrow.
  package struct Arrow: Sendable, Equatable {
    /// Position of the box where it starts.
    package var from: Int
    /// Position of the box where it ends.
    package var to: Int
    /// Whether it is dashed, and drawn around what stands between.
    package var isDashed: Bool

    /// Makes an arrow.
    package init(from: Int, to: Int, isDashed: Bool) {
      self.from = from
      self.to = to
      self.isDashed = isDashed
    }
  }

  /// Above the diagram.
  package var title: String
  /// What is shown, in words, for those who cannot see it.
  package var description: String
  /// The boxes; those of a column stand below one another in this order.
  package var boxes: [Box]
  /// The arrows.
  package var arrows: [Arrow]

  /// Makes a diagram.
  package init(title: String, description: String, boxes: [Box], arrows: [Arrow]) {
    self.title = title
    self.description = description
    self.boxes = boxes
    self.arrows = arrows
  }

  /// The SVG file.
  package var svg: String { LayeredDiagramDrawing(self).svg }
}

/// Lays a `LayeredDiagram` out and writes it.
private struct LayeredDiagramDrawing {
  private let diagram: LayeredDiagram
  private let places: [(x: Double, y: Double)]
  private let boxWidth: Double
  private let boxHeight: Double
  private let width: Double
  private let height: Double

  private let margin = 40.0
  private let top = 70.0
  private let gap = (x: 70.0, y: 34.0)
  private let lineHeight = 16.0

  init(_ diagram: LayeredDiagram) {
    self.diagram = diagram
    let longest = diagram.boxes.flatMap(\.lines).map(\.count).max() ?? 0
    let most = diagram.boxes.map(\.lines.count).max() ?? 1
    let (boxWidth, boxHeight) = (Double(longest) * SVGShape.letter + 20, Double(most) * 16 + 12)
    let columns = (diagram.boxes.map(\.column).max() ?? 0) + 1
    var counts = [Int](repeating: 0, count: columns)
    for box in diagram.boxes { counts[box.column] += 1 }
    let tallest = Double(counts.max() ?? 1) * (boxHeight + gap.y) - gap.y
    var rows = [Int](repeating: 0, count: columns)
    places = diagram.boxes.map { [margin, top, gap] box in
      let own = Double(counts[box.column]) * (boxHeight + gap.y) - gap.y
      let y = top + (tallest - own) / 2 + Double(rows[box.column]) * (boxHeight + gap.y)
      rows[box.column] += 1
      return (margin + Double(box.column) * (boxWidth + gap.x), y)
    }
    self.boxWidth = boxWidth
    self.boxHeight = boxHeight
    width = 2 * margin + Double(columns) * (boxWidth + gap.x) - gap.x
    height = top + tallest + 70
  }

  var svg: String {
    var body = SVGShape.label(
      diagram.title, x: margin, y: 28, extra: "font-size=\"16\" font-weight=\"bold\"")
    for arrow in diagram.arrows { body += draw(arrow) }
    for (box, place) in zip(diagram.boxes, places) { body += draw(box, place) }
    return SVGShape.document(
      title: diagram.title, spoken: diagram.description, width: width, height: height, body: body)
  }

  private func draw(_ box: LayeredDiagram.Box, _ place: (x: Double, y: Double)) -> String {
    let colour = SVGColours.series(box.group)
    var text = SVGShape.rectangle(place.x, place.y, boxWidth, boxHeight, colour: SVGColours.paper)
    text += SVGShape.rectangle(place.x, place.y, 5, boxHeight, colour: colour)
    let corners = [
      (x: place.x, y: place.y), (x: place.x + boxWidth, y: place.y),
      (x: place.x + boxWidth, y: place.y + boxHeight), (x: place.x, y: place.y + boxHeight),
      (x: place.x, y: place.y),
    ]
    text += SVGShape.polyline(corners, colour: colour)
    for (index, line) in box.lines.enumerated() {
      text += SVGShape.label(
        line, x: place.x + 12, y: place.y + 18 + Double(index) * lineHeight,
        extra: index == 0 ? "font-weight=\"bold\"" : "")
    }
    return text
  }

  private func draw(_ arrow: LayeredDiagram.Arrow) -> String {
    let (from, to) = (places[arrow.from], places[arrow.to])
    let start = (x: from.x + boxWidth, y: from.y + boxHeight / 2)
    let end = (x: to.x - 2, y: to.y + boxHeight / 2)
    var points = [start, end]
    if arrow.isDashed {
      // Below whatever stands in the columns between.
      let columns = diagram.boxes[arrow.from].column + 1..<diagram.boxes[arrow.to].column
      let between = zip(diagram.boxes, places).filter { columns.contains($0.0.column) }
      let lowest = between.map { $0.1.y + boxHeight }.max() ?? max(start.y, end.y)
      let level = max(lowest, max(from.y, to.y) + boxHeight) + 12 + Double(arrow.from % 4) * 5
      if !columns.isEmpty {
        points = [start, (x: start.x + 18, y: level), (x: end.x - 18, y: level), end]
      }
    }
    let tip = [
      (x: end.x - 7, y: end.y - 4), (x: end.x, y: end.y), (x: end.x - 7, y: end.y + 4),
    ]
    return SVGShape.polyline(
      points, colour: arrow.isDashed ? SVGColours.reference(0) : SVGColours.axis,
      extra: arrow.isDashed ? SVGShape.dashes : "")
      + SVGShape.polyline(tip, colour: arrow.isDashed ? SVGColours.reference(0) : SVGColours.axis)
  }
}
