import Plan
import Planning

/// One placement of a model that is explored.
struct Placed {
  /// What it belongs to in a chart.
  var series: String
  var name: String
  /// coded: how many devices may be lost.
  var tolerate: Int?
  /// budget: how many failures it was prepared for.
  var survive: Int?
  /// robustdice, budget: how many copies it was allowed.
  var budget: Double?
  /// By layer.
  var placements: [LayerPlacement]
  /// budget: by layer.
  var protections: [Protection]?
  /// budget: share of calibration answers that stay, by number of failures from 1 on.
  var agreement: [Double]?
  /// Others that came to the same placement.
  var also: [Twin] = []

  /// What another method or budget is called.
  struct Twin: Encodable {
    var series: String
    var name: String
  }

  init(
    series: String, name: String? = nil, tolerate: Int? = nil, survive: Int? = nil,
    budget: Double? = nil, placements: [LayerPlacement]
  ) {
    self.series = series
    self.name = name ?? series
    self.tolerate = tolerate
    self.survive = survive
    self.budget = budget
    self.placements = placements
  }
}

/// Different placements in the order in which they were found.
struct PlacementCollection {
  /// A placement that cannot be had, and why.
  struct LeftOut: Encodable {
    var name: String
    var reason: String
  }

  private(set) var placed: [Placed] = []
  private(set) var leftOut: [LeftOut] = []
  private var numbers: [[LayerPlacement]: Int] = [:]

  /// Adds a placement, or its name to the one that is the same.
  mutating func add(_ new: Placed) {
    if let number = numbers[new.placements] {
      placed[number].also.append(.init(series: new.series, name: new.name))
      return
    }
    numbers[new.placements] = placed.count
    placed.append(new)
  }

  mutating func leaveOut(_ name: String, because reason: String) {
    leftOut.append(LeftOut(name: name, reason: reason))
  }
}
