/// How one layer is protected against the loss of devices.
public enum Protection: Sendable, Hashable {
  /// Each neuron on one device.
  case single
  /// Each neuron once, in contiguous runs (`lop`).
  case contiguous
  /// An erasure code that survives the loss of some devices without loss of a neuron; copies where
  /// sums mean nothing.
  case coded(tolerating: Int)
  /// Each neuron on that many devices.
  case copies(Int)
  /// Groups of neurons of similar importance, each dealt over all devices, with a threshold of its own
  /// for about that many copies (RobustDiCE, Algorithm 1, with rotation and with replicas of the most
  /// important members).
  case clustered(copies: Double)
  /// RobustDiCE as the paper has it, with one threshold for all layers.
  case robustDiCE(copies: Double)
  /// The most important neurons, this share of them, on all devices, the others on `rest` devices.
  case core(share: Double, rest: Int)

  /// A short name for tables: `single`, `coded1`, `copies2`, `clustered1.5`, `core0.25`.
  public var name: String {
    switch self {
    case .single: "single"
    case .contiguous: "lop"
    case .coded(let tolerating): "coded\(tolerating)"
    case .copies(let count): "copies\(count)"
    case .clustered(let copies): "clustered\(Protection.rounded(copies))"
    case .robustDiCE(let copies): "robustdice\(Protection.rounded(copies))"
    case .core(let share, let rest):
      "core\(Protection.rounded(share))" + (rest > 1 ? "+copies\(rest)" : "")
    }
  }

  private static func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
}
