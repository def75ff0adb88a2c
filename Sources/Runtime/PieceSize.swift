import MQTT
import WireProtocol

/// How large one message of a tensor may be so that a slow connection does not take long for it: what is
/// said after it has to wait so long, and nothing shows meanwhile that it is on its way.
package enum PieceSize {
  /// How long a message may take, in seconds.
  static let seconds = 0.2
  /// Smaller ones are mostly headers.
  static let least = 8 << 10

  /// The most bytes of elements in one message.
  ///
  /// - Parameter bytesPerSecond: what the connection takes; nil where that is not known, or much.
  package static func limit(bytesPerSecond: Double?) -> Int {
    guard let bytesPerSecond, bytesPerSecond < 1e9 else { return .max }
    return max(least, Int(max(bytesPerSecond, 0) * seconds))
  }
}

extension TensorEncoder {
  /// Makes the next messages as small as a connection needs them now.
  mutating func fitPieces(to client: MQTTClient) {
    pieceBytes = PieceSize.limit(bytesPerSecond: client.statistics.bytesPerSecond)
  }
}
