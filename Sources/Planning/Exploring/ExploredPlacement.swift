import Plan

/// One placement of a model that is explored.
public struct ExploredPlacement: Sendable {
  /// What another method or budget is called that came to the same.
  public struct Twin: Sendable, Encodable {
    /// What it belongs to in a chart.
    public var series: String
    /// What it is called itself.
    public var name: String
  }

  /// The method and its options.
  public var variant: MethodVariant
  /// Where the neurons go.
  public var result: PlacementResult
  /// Others that came to the same placement.
  public var also: [Twin] = []
}

/// Different placements in the order in which they were found.
public struct PlacementCollection: Sendable {
  /// A placement that cannot be had, and why.
  public struct LeftOut: Sendable, Encodable {
    /// What it is called.
    public var name: String
    /// What it would take.
    public var reason: String
  }

  /// Each once.
  public private(set) var placed: [ExploredPlacement] = []
  /// What cannot be had.
  public private(set) var leftOut: [LeftOut] = []
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
