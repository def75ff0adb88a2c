import CKernels

/// Conversion between float32 and IEEE 754 binary16, which is only stored and sent.
package enum HalfPrecision {
  /// Widens halves to float32, exactly.
  ///
  /// - Precondition: `output` holds at least as many elements as `input`.
  package static func decode(
    _ input: UnsafeBufferPointer<UInt16>, into output: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(output.count >= input.count)
    guard let from = input.baseAddress, let to = output.baseAddress else { return }
    ck_half_to_float(from, to, input.count)
  }

  /// Rounds to nearest even; what is too large becomes infinity, NaN stays NaN.
  ///
  /// - Precondition: `output` holds at least as many elements as `input`.
  package static func encode(
    _ input: UnsafeBufferPointer<Float>, into output: UnsafeMutableBufferPointer<UInt16>
  ) {
    precondition(output.count >= input.count)
    guard let from = input.baseAddress, let to = output.baseAddress else { return }
    ck_float_to_half(from, to, input.count)
  }
}
