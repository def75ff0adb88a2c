extension Double {
  /// A share as a percentage with one decimal, such as `87.1 %`.
  package var asPercent: String {
    guard isFinite, abs(self) < 1e12 else { return "\(self)" }
    let tenths = Int((self * 1000).rounded())
    let whole = tenths.magnitude
    return "\(tenths < 0 ? "-" : "")\(whole / 10).\(whole % 10) %"
  }
}
