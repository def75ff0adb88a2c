import Plan

/// One placement of a model that is explored.
package struct ExploredPlacement: Sendable {
  /// What another method or budget is called that came to the same.
  package struct Twin: Sendable, Encodable {
    /// What it belongs to in a chart.
    package var series: String
    /// What it is called itself.
    package var name: String
  }

  /// The method and its options.
  package var variant: MethodVariant
  /// Where the neurons go.
  package var result: PlacementResult
  /// Others that came to the same placement.
  package var also: [Twin] = []
}

/// Different placements in the order in which they were found.
package struct PlacementCollection: Sendable {
  /// A placement that cannot be had, and why.
  package struct LeftOut: Sendable, Encodable {
    /// What it is called.
    package var name: String
    /// What it would take.
    package var reason: String
  }

  /// Each once.
  package private(set) var placed: [ExploredPlacement] = []
  /// What cannot be had.
  package private(set) var leftOut: [LeftOut] = []
  private var numbers: [[LayerPlacement]: Int] = [:]

  /// Takes what became of a variant: a placement, or its name for the one that is the same.
  mutating func add(_ variant: MethodVariant, _ outcome: VariantOutcome) {
    switch outcome {
    case .leftOut(let reason): leaveOut(variant.name, because: reason)
    case .placed(let result):
      if let number = numbers[result.placements] {
        placed[number].also.append(.init(series: variant.series, name: variant.name))
      } else {
        numbers[result.placements] = placed.count
        placed.append(ExploredPlacement(variant: variant, result: result))
      }
    }
  }

  mutating func leaveOut(_ name: String, because reason: String) {
    leftOut.append(LeftOut(name: name, reason: reason))
  }
}
