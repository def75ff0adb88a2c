import CKernels

/// The element types that a user may choose for the wire, by the names to choose them by.
package enum WireType: String, Sendable, CaseIterable, Codable {
  case f32, f16, i8

  /// The type of the elements.
  package var elementType: ElementType {
    switch self {
    case .f32: .float32
    case .f16: .float16
    case .i8: .int8
    }
  }

  /// Words for how often each stands in a list, such as `i8 (12), f16 (2)`.
  package static func text(_ types: [WireType]) -> String {
    allCases.reversed().compactMap { type in
      let count = types.count { $0 == type }
      return count > 0 ? "\(type.rawValue) (\(count))" : nil
    }.joined(separator: ", ")
  }

  /// All names, and what there is to know of them, for help texts.
  package static var summary: String {
    let texts = allCases.map { type in
      switch type {
      case .f32: type.rawValue
      case .f16: "\(type.rawValue) (half the bytes, slightly rounded)"
      case .i8: "\(type.rawValue) (a quarter, rounded to 255 steps)"
      }
    }
    return texts.listed(before: "or")
  }
}

extension [String] {
  /// The texts with commas between them, and a word instead of the last comma.
  package func listed(before word: String) -> String {
    guard count > 1 else { return first ?? "" }
    return dropLast().joined(separator: ", ") + " \(word) " + self[count - 1]
  }
}

/// Elements as they travel: float32, float16, or bytes with one scale; little-endian.
package enum PackedElements {
  /// What the one scale of a part takes in its message's header, at most: its field, and a float32 in as many
  /// digits as it may need.
  package static let scaleBytes = 25

  /// The element types that a tensor message may have.
  package static let supported: [ElementType] = [.float32, .float16, .int8]

  /// Whether a tensor message may have this element type.
  package static func isSupported(_ type: ElementType) -> Bool { supported.contains(type) }

  /// The scale under which `values` fit into -127...127: the largest magnitude divided by 127.
  ///
  /// Always finite and positive: infinities are clamped and NaN is sent as zero.
  package static func scale(of values: UnsafeBufferPointer<Float>) -> Float {
    guard let start = values.baseAddress else { return 1 }
    let largest = ck_largest_magnitude(start, values.count)
    // 127 times the largest scale is still finite.
    let scale = min(largest / 127, (Float.greatestFiniteMagnitude / 127).nextDown)
    return scale >= .leastNormalMagnitude ? scale : 1
  }

  /// The largest magnitude, 0 of nothing; NaN is passed over.
  package static func largestMagnitude(of values: UnsafeBufferPointer<Float>) -> Float {
    values.baseAddress.map { ck_largest_magnitude($0, values.count) } ?? 0
  }

  /// Whether no element is an infinity or NaN.
  package static func areFinite(_ values: UnsafeBufferPointer<Float>) -> Bool {
    ck_floats_are_below(values.baseAddress, values.count, Float.infinity.bitPattern) != 0
  }

  /// Whether values can travel as a type: infinities and NaN as float32 alone, and as float16 only
  /// what does not become infinite by rounding. Others are to be sent as float32.
  package static func survive(_ values: UnsafeBufferPointer<Float>, as type: ElementType) -> Bool {
    switch type {
    case .float32: true
    // Half of the last step above the largest, 65,504, is rounded up.
    case .float16:
      ck_floats_are_below(values.baseAddress, values.count, (65_520 as Float).bitPattern) != 0
    case .int8, .uint8, .int64: areFinite(values)
    }
  }

  /// Whether no element comes out of `copy` as an infinity or NaN.
  package static func areFinite(_ bytes: UnsafeRawBufferPointer, as type: ElementType, scale: Float)
    -> Bool
  {
    switch type {
    case .float32:
      ck_floats_are_below(bytes.baseAddress, bytes.count / 4, Float.infinity.bitPattern) != 0
    case .float16: ck_halves_are_finite(bytes.baseAddress, bytes.count / 2) != 0
    case .int8, .int64: (scale * Float(Int8.min)).isFinite
    case .uint8: true
    }
  }

  /// What the receiver sees of `values` after the wire: the same bits as encoding and decoding, for
  /// executors that stand in for the network.
  package static func roundTrip(_ values: UnsafeMutableBufferPointer<Float>, as type: ElementType) {
    let source = UnsafeBufferPointer(values)
    guard type != .float32, survive(source, as: type) else { return }
    let scale = type.hasScale ? scale(of: source) : 1
    var bytes: [UInt8] = []
    append(source, as: type, scale: scale, to: &bytes)
    bytes.withUnsafeBytes { copy($0, as: type, scale: scale, into: values) }
  }

  /// Appends the elements to a buffer. With a scale, values are multiplied with its reciprocal and
  /// rounded to the nearest of -127...127, ties to even.
  package static func append(
    _ values: UnsafeBufferPointer<Float>, as type: ElementType, scale: Float,
    to buffer: inout [UInt8]
  ) {
    if type == .float32 {
      buffer.append(contentsOf: UnsafeRawBufferPointer(values))
      return
    }
    let start = buffer.count
    buffer.append(contentsOf: repeatElement(0, count: values.count * type.size))
    buffer.withUnsafeMutableBytes { bytes in
      guard let input = values.baseAddress, let base = bytes.baseAddress else { return }
      let target = base + start
      if type == .float16 {
        withAligned(target, count: values.count) { ck_float_to_half(input, $0, values.count) }
      } else {
        ck_float_to_scaled(
          input, 1 / scale, target.assumingMemoryBound(to: Int8.self), values.count)
      }
    }
  }

  /// Reads as many elements as `target` holds.
  ///
  /// - Precondition: `bytes` has exactly that many elements of `type`.
  package static func copy(
    _ bytes: UnsafeRawBufferPointer, as type: ElementType, scale: Float,
    into target: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(bytes.count == target.count * type.size, "element count")
    guard let source = bytes.baseAddress, let output = target.baseAddress else { return }
    switch type {
    case .float32:
      UnsafeMutableRawBufferPointer(target).copyMemory(from: bytes)
    case .float16:
      // A message may start anywhere in a receive buffer.
      if UInt(bitPattern: source) % 2 == 0 {
        let halves = source.assumingMemoryBound(to: UInt16.self)
        ck_half_to_float(halves, output, target.count)
      } else {
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: target.count) { halves in
          UnsafeMutableRawBufferPointer(halves).copyMemory(from: bytes)
          guard let aligned = halves.baseAddress else { return }
          ck_half_to_float(aligned, output, target.count)
        }
      }
    case .int8, .int64:
      ck_scaled_to_float(source.assumingMemoryBound(to: Int8.self), scale, output, target.count)
    case .uint8:
      ck_bytes_to_float(source.assumingMemoryBound(to: UInt8.self), output, target.count)
    }
  }

  private static func withAligned(
    _ target: UnsafeMutableRawPointer, count: Int, body: (UnsafeMutablePointer<UInt16>) -> Void
  ) {
    if UInt(bitPattern: target) % 2 == 0 {
      body(target.assumingMemoryBound(to: UInt16.self))
    } else {
      withUnsafeTemporaryAllocation(of: UInt16.self, capacity: count) { halves in
        guard let aligned = halves.baseAddress else { return }
        body(aligned)
        target.copyMemory(from: aligned, byteCount: count * 2)
      }
    }
  }
}
