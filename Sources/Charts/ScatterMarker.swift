import Glibc

/// The shape that stands for a series: eight shapes, filled and then hollow.
struct ScatterMarker {
  private let shape: Int
  private let colour: String
  private let isHollow: Bool

  private static let radius = 5.0

  init(series: Int) {
    shape = series % 8
    colour = SVGColours.series(series)
    isHollow = series / 8 % 2 == 1
  }

  /// The marker around a place.
  func svg(x: Double, y: Double) -> String {
    let fill = isHollow ? SVGColours.paper : colour
    let stroke = isHollow ? colour : SVGColours.paper
    let width = isHollow ? "1.8" : "0.8"
    let style = "fill=\"\(fill)\" stroke=\"\(stroke)\" stroke-width=\"\(width)\""
    guard shape > 0 else {
      return "<circle cx=\"\(SVGText.number(x))\" cy=\"\(SVGText.number(y))\" "
        + "r=\"\(SVGText.number(Self.radius))\" \(style)/>\n"
    }
    let corners: [String] = outline.map { corner in
      let angle: Double = corner.turn * 2 * Double.pi
      let across = SVGText.number(x + sin(angle) * corner.radius)
      let down = SVGText.number(y - cos(angle) * corner.radius)
      return "\(across),\(down)"
    }
    return "<polygon points=\"\(corners.joined(separator: " "))\" \(style)/>\n"
  }

  /// Corners as distance from the middle and turns clockwise from the top.
  private var outline: [(radius: Double, turn: Double)] {
    switch shape {
    case 1: regular(4, radius: 6.2, turned: 0.125)
    case 2: regular(3, radius: 6.6)
    case 3: regular(4, radius: 6.6)
    case 4: regular(3, radius: 6.6, turned: 0.5)
    case 5: star(5, outer: 7.4, inner: 3.1)
    case 6: regular(5, radius: 6)
    // An upright cross: four arms, each with two ends and a notch.
    default: cross
    }
  }

  private var cross: [(radius: Double, turn: Double)] {
    var corners: [(radius: Double, turn: Double)] = []
    for arm in 0..<4 {
      let turn = Double(arm) / 4
      corners.append((6.6, turn - 0.045))
      corners.append((6.6, turn + 0.045))
      corners.append((2.6, turn + 0.125))
    }
    return corners
  }

  private func regular(
    _ count: Int, radius: Double, turned: Double = 0
  ) -> [(radius: Double, turn: Double)] {
    (0..<count).map { corner in
      let turn: Double = Double(corner) / Double(count) + turned
      return (radius, turn)
    }
  }

  private func star(
    _ count: Int, outer: Double, inner: Double
  ) -> [(radius: Double, turn: Double)] {
    (0..<(2 * count)).map { corner in
      let turn: Double = Double(corner) / Double(2 * count)
      return (corner % 2 == 0 ? outer : inner, turn)
    }
  }
}
