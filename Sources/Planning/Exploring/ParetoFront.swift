/// The choices that no other beats in both cost and worth.
package enum ParetoFront {
  /// One choice.
  package struct Point: Sendable, Hashable {
    /// What it costs; less is better.
    package var cost: Double
    /// What it is worth; more is better.
    package var value: Double

    /// Makes a point.
    package init(cost: Double, value: Double) {
      self.cost = cost
      self.value = value
    }
  }

  /// The numbers, ascending, of the points for which no other is at least as good in one respect and
  /// better in the other. Of equal points all are.
  package static func of(_ points: [Point]) -> [Int] {
    var best = -Double.infinity
    var front: [Int] = []
    let order = points.indices.sorted {
      (points[$0].cost, -points[$0].value) < (points[$1].cost, -points[$1].value)
    }
    for number in order {
      let point = points[number]
      guard point.value > best || front.last.map({ points[$0] == point }) == true else { continue }
      best = point.value
      front.append(number)
    }
    return front.sorted()
  }
}
