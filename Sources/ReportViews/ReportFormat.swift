import FlightReport
import Tables

/// How figures of reports are written for people.
enum ReportFormat {
  /// What stands for a figure that there is none of.
  static let none = "-"

  /// `98.2`
  static func percent(_ share: Double) -> String { (share * 100).formatted(1) }

  /// With a sensible number of decimals for its size.
  static func number(_ value: Double?) -> String {
    guard let value else { return none }
    let decimals = value.magnitude >= 100 ? 0 : value.magnitude >= 10 ? 1 : 3
    return value.formatted(decimals)
  }

  /// `deadline 3, lost 12`
  static func counts<Count: BinaryInteger>(_ counts: [String: Count]) -> String {
    counts.isEmpty
      ? "0" : counts.sorted { $0.key < $1.key }.map { "\($0) \($1)" }.joined(separator: ", ")
  }

  /// `d0, d1, d3`; which devices a phase is about.
  static func alive(_ names: [String]?) -> String {
    guard let names else { return "not said" }
    return names.isEmpty ? "none" : names.joined(separator: " ")
  }

  /// `57 / 31 / 12`: percent computing, waiting, communicating.
  static func shares(_ shares: FlightReport.Shares?) -> String {
    guard let shares else { return none }
    return [shares.computing, shares.waiting, shares.communicating]
      .map { ($0 * 100).formatted(0) }.joined(separator: " / ")
  }
}
