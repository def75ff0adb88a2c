import Tables

/// The costs that an exploration can set accuracy against.
package enum ExploreAxis: String, Sendable, CaseIterable, Encodable {
  /// What a placement costs.
  case copies, memory, compute, recompute, traffic

  /// What the axis of a chart says, but for the unit.
  package var summary: String {
    switch self {
    case .copies: "copies of the weights, all devices together"
    case .memory: "weights on the device with the most"
    case .compute: "multiply-adds of the busiest device while all are there"
    case .recompute: "multiply-adds of the busiest device after one failure"
    case .traffic: "sent per frame by the device that sends most"
    }
  }

  /// A placement's cost.
  package func cost(of point: ExplorePoint) -> Double {
    switch self {
    case .copies: point.copies
    case .memory: Double(point.largestWeightBytes)
    case .compute: Double(point.multiplyAdds)
    case .recompute: Double(point.multiplyAddsAfterFailure)
    case .traffic: Double(point.bytesSent)
    }
  }

  /// A cost for people.
  package func text(_ point: ExplorePoint) -> String {
    switch self {
    case .copies: point.copies.formatted(2)
    case .memory: point.largestWeightBytes.asBytes
    case .compute: point.multiplyAdds.asCount
    case .recompute: point.multiplyAddsAfterFailure.asCount
    case .traffic: point.bytesSent.asBytes
    }
  }

  /// A unit in which the largest cost is a number of few digits.
  package func unit(for largest: Double) -> (name: String, size: Double) {
    let prefix: (String, Double) =
      switch largest {
      case ..<10_000: ("", 1)
      case ..<10_000_000: ("k", 1e3)
      case ..<10_000_000_000: ("M", 1e6)
      default: ("G", 1e9)
      }
    switch self {
    case .copies: return ("", 1)
    case .memory, .traffic: return (prefix.0 + "B", prefix.1)
    case .compute, .recompute: return (prefix.0 == "" ? "" : "in " + prefix.0, prefix.1)
    }
  }
}
