/// How one layer is protected against the loss of devices.
public enum Protection: Sendable, Hashable {
  /// Each neuron on one device.
  case single
  /// An erasure code that survives the loss of some devices without loss of a neuron; copies where
  /// sums mean nothing.
  case coded(tolerating: Int)
  /// Each neuron on that many devices.
  case copies(Int)
  /// Groups of neurons of similar importance, each dealt over all devices, with a threshold of its own
  /// for about that many copies (RobustDiCE, Algorithm 1, with rotation and with replicas of the most
  /// important members).
  case clustered(copies: Double)

  /// A short name for tables: `single`, `coded1`, `copies2`, `clustered1.5`.
  public var name: String {
    switch self {
    case .single: "single"
    case .coded(let tolerating): "coded\(tolerating)"
    case .copies(let count): "copies\(count)"
    case .clustered(let copies): "clustered\(copies)"
    }
  }
}
