/// The element types that Martlet stores, computes with or sends.
package enum ElementType: String, Sendable, Codable, CaseIterable {
  /// IEEE 754 binary32: the type of every computed value.
  case float32 = "F32"
  /// IEEE 754 binary16: on the wire, and weights.
  case float16 = "F16"
  /// Signed bytes with one scale per tensor on the wire, or one for each row of weights.
  case int8 = "I8"
  /// Bytes of images: pixels on the wire only.
  case uint8 = "U8"
  /// Signed 64-bit integers: shape arithmetic in imported graphs.
  case int64 = "I64"

  /// Bytes per element.
  package var size: Int {
    switch self {
    case .float32: 4
    case .float16: 2
    case .int8, .uint8: 1
    case .int64: 8
    }
  }

  /// Whether elements mean something only with a scale, which travels beside them.
  package var hasScale: Bool { self == .int8 }
}
