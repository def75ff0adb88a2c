import ArgumentParser
import Tables

/// The costs that `martlet explore` can set accuracy against.
enum ExploreAxis: String, ExpressibleByArgument, CaseIterable, Encodable {
  case copies, memory, compute, recompute, traffic

  /// What the axis of a chart says, but for the unit.
  var summary: String {
    switch self {
    case .copies: "copies of the weights, all devices together"
    case .memory: "weights on the device with the most"
    case .compute: "multiply-adds of the busiest device while all are there"
    case .recompute: "multiply-adds of the busiest device after one failure"
    case .traffic: "sent per frame by the device that sends most"
    }
  }

  static var listing: String {
    allCases.map {
      "  " + $0.rawValue + String(repeating: " ", count: 11 - $0.rawValue.count) + $0.summary
    }.joined(separator: "\n")
  }

  /// A placement's cost.
  func cost(of point: ExplorePoint) -> Double {
    switch self {
    case .copies: point.copies
    case .memory: Double(point.largestWeightBytes)
    case .compute: Double(point.multiplyAdds)
    case .recompute: Double(point.multiplyAddsAfterFailure)
    case .traffic: Double(point.bytesSent)
    }
  }

  /// A cost for people.
  func text(_ point: ExplorePoint) -> String {
    switch self {
    case .copies: point.copies.formatted(2)
    case .memory: point.largestWeightBytes.asBytes
    case .compute: point.multiplyAdds.asCount
    case .recompute: point.multiplyAddsAfterFailure.asCount
    case .traffic: point.bytesSent.asBytes
    }
  }

  /// A unit in which the largest cost is a number of few digits.
  func unit(for largest: Double) -> (name: String, size: Double) {
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
