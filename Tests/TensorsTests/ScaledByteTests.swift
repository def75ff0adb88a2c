import Tensors
import Testing

/// Bytes with a scale, against arithmetic written out one element at a time: the vectorised loops must
/// give the same bits on every processor.
@Suite struct ScaledByteTests {
  /// The scale of a tensor.
  private func scale(_ values: [Float]) -> Float {
    var largest: Float = 0
    for value in values where abs(value) > largest { largest = abs(value) }
    let scale = min(largest / 127, (Float.greatestFiniteMagnitude / 127).nextDown)
    return scale >= .leastNormalMagnitude ? scale : 1
  }

  private func byte(_ value: Float, _ scale: Float) -> Int8 {
    let product = value * (1 / scale)
    guard !product.isNaN else { return 0 }
    return Int8(min(max(product, -127), 127).rounded(.toNearestOrEven))
  }

  private func check(_ values: [Float], _ what: String) {
    let scale = scale(values)
    values.withUnsafeBufferPointer { source in
      #expect(PackedElements.scale(of: source) == scale, "\(what)")
      // At an odd address, too.
      for prefix in [0, 1] {
        var bytes = [UInt8](repeating: 77, count: prefix)
        PackedElements.append(source, as: .int8, scale: scale, to: &bytes)
        let expected = values.map { UInt8(bitPattern: byte($0, scale)) }
        #expect(Array(bytes.dropFirst(prefix)) == expected, "\(what)")
        var decoded = [Float](repeating: .nan, count: values.count)
        decoded.withUnsafeMutableBufferPointer { target in
          bytes.withUnsafeBytes {
            PackedElements.copy(
              UnsafeRawBufferPointer(rebasing: $0[prefix...]), as: .int8, scale: scale,
              into: target)
          }
        }
        let restored = expected.map { Float(Int8(bitPattern: $0)) * scale }
        #expect(decoded.map(\.bitPattern) == restored.map(\.bitPattern), "\(what)")
      }
    }
  }

  @Test(arguments: 0...70)
  func anyNumberOfElements(_ count: Int) {
    var random = SystemlessGenerator(state: UInt64(count) + 3)
    check((0..<count).map { _ in random.value(-6...6) }, "\(count) elements")
  }

  @Test func manyElements() {
    var random = SystemlessGenerator(state: 99)
    for _ in 0..<20 {
      let size = random.value(1e-6...1e6)
      check((0..<4099).map { _ in random.value(-size...size) }, "up to \(size)")
    }
  }

  @Test func numbersAtTheEdges() {
    let greatest = Float.greatestFiniteMagnitude
    let least = Float.leastNonzeroMagnitude
    for values: [Float] in [
      [0, -0.0, 0], [least, -least, 0], [.leastNormalMagnitude, -least], [greatest, -greatest, 1],
      [greatest, least], [1e-38, least, -3 * least], [127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5],
      [127, 126.5, -126.5, 63.5], [127.00001, 126.99999], [.nan, 1, -2], [.nan],
    ] {
      check(values, "\(values)")
    }
  }

  /// What goes over the wire twice is not what went over it once, so nobody may encode what was decoded;
  /// but what cannot travel as bytes is left alone.
  @Test func roundTripsLeaveAloneWhatMustStayVisible() {
    for hidden in [Float.nan, .infinity, -.infinity] {
      var values: [Float] = [1, hidden, 0.3]
      values.withUnsafeMutableBufferPointer { PackedElements.roundTrip($0, as: .int8) }
      #expect(values.map(\.bitPattern) == [1, hidden, 0.3].map(\.bitPattern))
    }
    var values: [Float] = [1, 0.3, -0.004]
    values.withUnsafeMutableBufferPointer { PackedElements.roundTrip($0, as: .int8) }
    let scale = Float(1) / 127
    #expect(values == [127 * scale, 38 * scale, -1 * scale])
  }

  @Test func bytesOfPixelsAreWidenedExactly() {
    let bytes = (0...255).map { UInt8($0) } + [7]
    var values = [Float](repeating: -1, count: bytes.count)
    values.withUnsafeMutableBufferPointer { target in
      bytes.withUnsafeBytes { PackedElements.copy($0, as: .uint8, scale: 1, into: target) }
    }
    #expect(values == bytes.map { Float($0) })
  }
}

/// Knuth's MMIX generator.
private struct SystemlessGenerator {
  var state: UInt64

  mutating func value(_ range: ClosedRange<Float>) -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let unit = Float(state >> 40) / Float(1 << 24)
    return range.lowerBound + unit * (range.upperBound - range.lowerBound)
  }
}
