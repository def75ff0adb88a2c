package import Plan

extension Plan.RowFill {
  /// Fills the lost rows of a gathered value.
  ///
  /// - Parameters:
  ///   - lost: rows that are lost, at most once each.
  ///   - target: the value: `outer` blocks of `extent` rows of `inner` elements.
  package func fill(
    _ lost: [Int], of target: UnsafeMutablePointer<Float>, outer: Int, extent: Int, inner: Int
  ) {
    let isLost = Set(lost)
    let kept = (0..<extent).filter { !isLost.contains($0) }
    let nearest = self == .nearest ? Self.nearest(to: isLost, extent: extent) : [:]
    for block in 0..<outer {
      let rows = target + block * extent * inner
      for row in lost { (rows + row * inner).update(repeating: 0, count: inner) }
      switch self {
      case .zero: break
      case .nearest:
        for (row, source) in nearest {
          (rows + row * inner).update(from: rows + source * inner, count: inner)
        }
      case .mean:
        guard let first = lost.first, !kept.isEmpty else { break }
        let mean = rows + first * inner
        for row in kept {
          for column in 0..<inner { mean[column] += rows[row * inner + column] }
        }
        for column in 0..<inner { mean[column] /= Float(kept.count) }
        for row in lost.dropFirst() { (rows + row * inner).update(from: mean, count: inner) }
      }
    }
  }

  /// The nearest row that came for each lost one, of two the upper one; none where all are lost.
  private static func nearest(to lost: Set<Int>, extent: Int) -> [Int: Int] {
    var sources: [Int: Int] = [:]
    var above: Int?
    for row in 0..<extent {
      if lost.contains(row) { sources[row] = above } else { above = row }
    }
    var below: Int?
    for row in (0..<extent).reversed() {
      guard lost.contains(row) else {
        below = row
        continue
      }
      guard let below, sources[row].map({ below - row < row - $0 }) ?? true else { continue }
      sources[row] = below
    }
    return sources
  }
}
