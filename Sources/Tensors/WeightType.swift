/// How weights are stored, by the names to choose by. What is computed with them is float32.
package enum WeightType: String, Sendable, CaseIterable, Codable {
  case f32, f16, i8

  /// The type of the elements.
  package var elementType: ElementType {
    switch self {
    case .f32: .float32
    case .f16: .float16
    case .i8: .int8
    }
  }

  /// All names, and what there is to know of them, for help texts.
  package static var summary: String {
    let texts = allCases.map { type in
      switch type {
      case .f32: type.rawValue
      case .f16: "\(type.rawValue) (half the memory, slightly rounded)"
      case .i8: "\(type.rawValue) (a quarter, 255 steps for each output channel)"
      }
    }
    return texts.listed(before: "or")
  }

  /// How one layer's weights are stored: as float32 where this type cannot hold them. Of halves, all
  /// must be below 65,520, and the largest no less than the smallest normal one, 0.000061, below which
  /// digits get lost; of bytes, all must be finite.
  ///
  /// - Parameter values: of the whole layer, so that everybody who holds a share of it agrees.
  package func storage(for values: UnsafeBufferPointer<Float>) -> ElementType {
    switch self {
    case .f32: return .float32
    case .f16:
      guard PackedElements.survive(values, as: .float16) else { return .float32 }
      let largest = PackedElements.largestMagnitude(of: values)
      return largest == 0 || largest >= 0x1p-14 ? .float16 : .float32
    case .i8: return PackedElements.areFinite(values) ? .int8 : .float32
    }
  }
}
