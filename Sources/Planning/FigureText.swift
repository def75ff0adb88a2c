// Figures in names.

extension Double {
  /// As people write it on a command line: `2`, `1.25`.
  var asPlainText: String {
    self == rounded() && magnitude < 1e9 ? "\(Int(self))" : "\(self)"
  }

  /// With three decimals at most.
  var asShortText: String { "\((self * 1000).rounded() / 1000)" }
}
