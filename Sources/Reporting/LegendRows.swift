/// Where the entries of a legend go: one after the other, in as many rows as they need.
struct LegendRows {
  /// The left end of each entry and its baseline.
  private(set) var positions: [(x: Double, y: Double)] = []
  /// The baseline of the last row.
  private(set) var bottom: Double

  init(_ names: [String], left: Double, right: Double, top: Double = 62) {
    var (x, y) = (left, top)
    for name in names {
      let length = 24 + Double(name.count) * SVGShape.letter + 18
      if x > left, x + length > right { (x, y) = (left, y + 20) }
      positions.append((x, y))
      x += length
    }
    bottom = y
  }
}
