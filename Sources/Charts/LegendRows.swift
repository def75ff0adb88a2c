/// Where the entries of a legend go: one after the other, in as many rows as they need; in columns where
/// one row does not hold them.
struct LegendRows {
  /// The left end of each entry and its baseline.
  private(set) var positions: [(x: Double, y: Double)] = []
  /// The baseline of the last row.
  private(set) var bottom: Double

  init(_ names: [String], left: Double, right: Double, top: Double = 62) {
    var (x, y) = (left, top)
    let lengths = names.map { 24 + Double($0.count) * SVGShape.letter + 18 }
    let column = left + lengths.reduce(0, +) > right ? lengths.max() : nil
    for own in lengths {
      let length = column ?? own
      if x > left, x + length > right { (x, y) = (left, y + 20) }
      positions.append((x, y))
      x += length
    }
    bottom = y
  }
}
