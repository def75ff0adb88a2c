import CKernels
package import Foundations

/// A constant as it is stored: float32, halves, or bytes with a scale for each row (each index of the
/// first axis, an output channel of weights).
package struct StoredTensor: Sendable {
  /// Where the elements are.
  package enum Elements: Sendable {
    /// float32 in an array.
    case floats([Float])
    /// Elements of any stored type, at an address that suits the type.
    case fixed(FixedBytes)
  }

  /// The extents.
  package let shape: Shape
  /// The type: float32, float16 or int8.
  package let elementType: ElementType
  /// The elements in row-major order.
  package let elements: Elements
  /// One for each row of int8, positive and finite; else empty.
  package let scales: [Float]

  /// The types that constants are stored in.
  package static let types: [ElementType] = [.float32, .float16, .int8]

  /// - Precondition: the tensor is float32.
  package init(_ tensor: Tensor) {
    guard let values = tensor.floats else { preconditionFailure("a constant must be float32") }
    shape = tensor.shape
    elementType = .float32
    elements = .floats(values)
    scales = []
  }

  /// Elements as they lie in a file.
  ///
  /// - Precondition: as many bytes as elements of the type take, and a scale for each row of int8.
  package init(
    _ shape: Shape, _ elementType: ElementType, _ bytes: FixedBytes, scales: [Float] = []
  ) {
    precondition(StoredTensor.types.contains(elementType), "not a type of constants")
    precondition(bytes.bytes.count == shape.count * elementType.size, "element count")
    precondition(scales.count == StoredTensor.scaleCount(shape, elementType), "scale count")
    self.shape = shape
    self.elementType = elementType
    elements = .fixed(bytes)
    self.scales = scales
  }

  /// How many scales a tensor has.
  package static func scaleCount(_ shape: Shape, _ type: ElementType) -> Int {
    type.hasScale ? shape.dimensions.first ?? 1 : 0
  }

  /// Bytes of elements and scales.
  package static func bytes(_ shape: Shape, _ type: ElementType) -> Int {
    shape.count * type.size + scaleCount(shape, type) * MemoryLayout<Float>.stride
  }

  /// Elements rounded to the nearest, ties to even.
  ///
  /// - Parameter scales: for each row of int8, such as `rowScales` gives them.
  /// - Precondition: the tensor is float32.
  /// - Throws: `resourceExhausted` without memory.
  package init(
    rounding tensor: Tensor, to type: ElementType, scales: [Float] = []
  ) throws(MartletError) {
    guard type != .float32 else {
      self.init(tensor)
      return
    }
    guard let values = tensor.floats else { preconditionFailure("a constant must be float32") }
    precondition(scales.count == StoredTensor.scaleCount(tensor.shape, type), "scale count")
    let count = values.count * type.size
    try MemoryLimit.require(count, for: "the weights")
    let bytes = FixedBytes(count: count) { target in
      values.withUnsafeBufferPointer { source in
        guard let input = source.baseAddress, let output = target.baseAddress else { return }
        guard type.hasScale else {
          ck_float_to_half(input, output.assumingMemoryBound(to: UInt16.self), source.count)
          return
        }
        let columns = source.count / max(scales.count, 1)
        for (row, scale) in scales.enumerated() {
          ck_float_to_scaled(
            input + row * columns, 1 / scale,
            (output + row * columns).assumingMemoryBound(to: Int8.self), columns)
        }
      }
    }
    guard let bytes else { throw MemoryLimit.refusal(of: count, for: "the weights") }
    self.init(tensor.shape, type, bytes, scales: scales)
  }

  /// The scale of each row, under which its elements fit into -127...127.
  ///
  /// - Precondition: the tensor is float32.
  package static func rowScales(of tensor: Tensor) -> [Float] {
    guard let values = tensor.floats else { preconditionFailure("a constant must be float32") }
    let rows = tensor.shape.dimensions.first ?? 1
    let columns = values.count / max(rows, 1)
    return values.withUnsafeBufferPointer { values in
      (0..<rows).map { row in
        PackedElements.scale(
          of: UnsafeBufferPointer(rebasing: values[(row * columns)..<((row + 1) * columns)]))
      }
    }
  }

  /// Calls `body` with the bytes of the elements.
  package func withBytes<R, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    switch elements {
    case .floats(let values):
      try values.withUnsafeBufferPointer { values throws(E) in
        try body(UnsafeRawBufferPointer(values))
      }
    case .fixed(let fixed): try body(fixed.bytes)
    }
  }

  /// The elements as float32 at an address: what they are computed with.
  ///
  /// - Parameter target: room for all of them.
  package func widen(into target: UnsafeMutablePointer<Float>) {
    withBytes { bytes in
      guard let source = bytes.baseAddress, shape.count > 0 else { return }
      switch elementType {
      case .float16:
        let halves = source.assumingMemoryBound(to: UInt16.self)
        ck_widen_halves(halves, shape.count, 1, shape.count, target)
      case .int8:
        let columns = shape.count / scales.count
        ck_widen_bytes(
          source.assumingMemoryBound(to: Int8.self), columns, scales, scales.count, columns, target)
      case .float32, .uint8, .int64:
        target.update(from: source.assumingMemoryBound(to: Float.self), count: shape.count)
      }
    }
  }

  /// The elements as float32: what they are computed with.
  package var widened: Tensor {
    if case .floats(let values) = elements { return Tensor(shape, values) }
    return Tensor(
      shape,
      [Float](unsafeUninitializedCapacity: shape.count) { buffer, initialised in
        if let base = buffer.baseAddress { widen(into: base) }
        initialised = shape.count
      })
  }
}
