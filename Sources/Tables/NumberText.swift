import Glibc

// Numbers as people write them.

extension Double {
  /// With a fixed number of decimals.
  package func formatted(_ decimals: Int) -> String {
    guard isFinite else { return "-" }
    let scale = pow(10.0, Double(decimals))
    let rounded = (magnitude * scale).rounded()
    guard rounded < 1e15 else { return "\(self)" }
    let whole = Int(rounded / scale)
    let fraction = Int(rounded) - whole * Int(scale)
    let digits = String(fraction)
    let sign = self < 0 && rounded > 0 ? "-" : ""
    guard decimals > 0 else { return sign + "\(whole)" }
    return sign + "\(whole)." + String(repeating: "0", count: decimals - digits.count) + digits
  }
}

extension Double {
  /// Bytes as people write them; what is no number of bytes is a dash.
  package var asBytes: String {
    guard isFinite else { return "-" }
    return (Int(exactly: rounded(.towardZero)) ?? (self < 0 ? .min : .max)).asBytes
  }
}

extension Int {
  /// Bytes as people write them: `3.2 MB`.
  package var asBytes: String {
    switch self {
    case ..<1000: "\(self) B"
    case ..<1_000_000: (Double(self) / 1e3).formatted(1) + " kB"
    case ..<1_000_000_000: (Double(self) / 1e6).formatted(1) + " MB"
    default: (Double(self) / 1e9).formatted(2) + " GB"
    }
  }

  /// Counts as people write them: `3.2 M`.
  package var asCount: String {
    switch self {
    case ..<10_000: "\(self)"
    case ..<1_000_000: (Double(self) / 1e3).formatted(1) + " k"
    case ..<1_000_000_000: (Double(self) / 1e6).formatted(1) + " M"
    default: (Double(self) / 1e9).formatted(2) + " G"
    }
  }
}
