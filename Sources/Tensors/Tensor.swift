/// A dense row-major tensor that owns its elements: weights, images, shape arithmetic.
///
/// Activations of a running model live in an arena instead (see `Kernels`).
package struct Tensor: Sendable, Equatable {
  /// The elements, by type.
  package enum Elements: Sendable, Equatable {
    /// float32 elements.
    case float32([Float])
    /// int64 elements (also booleans, as 0 and 1).
    case int64([Int64])

    /// The number of elements.
    package var count: Int {
      switch self {
      case .float32(let values): values.count
      case .int64(let values): values.count
      }
    }
  }

  /// The extents.
  package let shape: Shape
  /// The elements in row-major order; as many as `shape.count`.
  package let elements: Elements

  /// - Precondition: the number of elements equals `shape.count`.
  package init(shape: Shape, elements: Elements) {
    precondition(elements.count == shape.count, "\(elements.count) elements for shape \(shape)")
    self.shape = shape
    self.elements = elements
  }

  /// A float32 tensor.
  package init(_ shape: Shape, _ values: [Float]) {
    self.init(shape: shape, elements: .float32(values))
  }

  /// An int64 tensor.
  package init(_ shape: Shape, _ values: [Int64]) {
    self.init(shape: shape, elements: .int64(values))
  }

  /// The element type.
  package var elementType: ElementType {
    // No switch over the whole: Swift 6.2 fails to compile one that binds nothing.
    if case .float32 = elements { return .float32 }
    return .int64
  }

  /// The float32 elements, or nil for another type.
  package var floats: [Float]? {
    if case .float32(let values) = elements { values } else { nil }
  }

  /// The int64 elements, or nil for another type.
  package var integers: [Int64]? {
    if case .int64(let values) = elements { values } else { nil }
  }

  /// The same elements under another shape of the same count.
  package func reshaped(_ shape: Shape) -> Tensor { Tensor(shape: shape, elements: elements) }
}
