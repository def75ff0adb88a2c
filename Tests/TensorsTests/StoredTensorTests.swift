import CKernels
import Foundations
import Tensors
import Testing

@Suite("Weights in fewer bytes than float32")
struct StoredTensorTests {
  /// The value by the definition of binary16.
  private func value(_ half: UInt16) -> Double {
    let sign = half >> 15 == 1 ? -1.0 : 1.0
    let exponent = Int(half >> 10 & 31)
    let fraction = Double(half & 1023)
    switch exponent {
    case 31: return fraction == 0 ? sign * .infinity : .nan
    case 0: return sign * fraction * 0x1p-24
    default:
      return sign * (1 + fraction / 1024)
        * Double(sign: .plus, exponent: exponent - 15, significand: 1)
    }
  }

  private func pseudorandom(_ count: Int, seed: UInt64) -> [Float] {
    var state = seed &* 2_862_933_555_777_941_757 &+ 3_037_000_493
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(Int(state >> 40)) / Float(1 << 23) - 1
    }
  }

  private func halves(_ values: [Float]) -> [UInt16] {
    var result = [UInt16](repeating: 0, count: values.count)
    ck_float_to_half(values, &result, values.count)
    return result
  }

  @Test("every half becomes the float that it is, by the processor's instruction and without")
  func everyHalf() {
    let halves = Array(UInt16.min...UInt16.max)
    var native = [Float](repeating: 7, count: halves.count)
    var portable = native
    ck_widen_halves(halves, halves.count, 1, halves.count, &native)
    ck_widen_halves_portable(halves, halves.count, 1, halves.count, &portable)
    var wrong = 0
    for (index, half) in halves.enumerated() {
      let expected = value(half)
      for found in [native[index], portable[index]] {
        let isRight =
          expected.isNaN
          ? found.isNaN
          : Double(found) == expected && (found.sign == .minus) == (half >> 15 == 1)
        if !isRight { wrong += 1 }
      }
    }
    #expect(wrong == 0)
  }

  @Test("a matrix times a vector, for every number of rows and columns", arguments: 0...70)
  func products(columns: Int) {
    for rows in 1...9 {
      let seed = UInt64(columns * 10 + rows)
      let x = pseudorandom(columns, seed: seed)
      let w = halves(pseudorandom(rows * columns, seed: seed + 1000))
      let q = pseudorandom(rows * columns, seed: seed + 2000).map { Int8($0 * 127) }
      let scales = pseudorandom(rows, seed: seed + 3000).map { abs($0) + 0.1 }
      let bias = pseudorandom(rows, seed: seed + 4000)
      let none = ck_activation(kind: Int32(CK_IDENTITY), a: 0, b: 0)
      func run(_ body: (UnsafeMutablePointer<Float>) -> Void) -> [Float] {
        // One more than there are rows: nothing may be written behind them.
        var y = [Float](repeating: -5, count: rows + 1)
        y.withUnsafeMutableBufferPointer { buffer in
          if let base = buffer.baseAddress { body(base) }
        }
        #expect(y[rows] == -5)
        return y
      }
      let native = run { ck_gemv_halves(w, x, bias, $0, rows, columns, none) }
      let portable = run { ck_gemv_halves_portable(w, x, bias, $0, rows, columns, none) }
      let bytes = run { ck_gemv_bytes(q, scales, x, bias, $0, rows, columns, none) }
      let unbiased = run { ck_gemv_halves(w, x, nil, $0, rows, columns, none) }
      for row in 0..<rows {
        var sum = 0.0
        var magnitude = 0.0
        var byteSum = 0.0
        var byteMagnitude = 0.0
        for column in 0..<columns {
          let place = row * columns + column
          let product = value(w[place]) * Double(x[column])
          let byteProduct = Double(q[place]) * Double(scales[row]) * Double(x[column])
          sum += product
          magnitude += abs(product)
          byteSum += byteProduct
          byteMagnitude += abs(byteProduct)
        }
        // Each of the operations rounds by at most 2^-24 of what it is applied to.
        let share = Double(columns + 4) * 0x1p-24
        let offset = Double(bias[row])
        let bound = share * (magnitude + abs(offset)) + 1e-30
        #expect(abs(Double(native[row]) - sum - offset) <= bound)
        #expect(abs(Double(portable[row]) - sum - offset) <= bound)
        #expect(abs(Double(unbiased[row]) - sum) <= bound)
        #expect(
          abs(Double(bytes[row]) - byteSum - offset)
            <= share * (byteMagnitude + abs(offset)) + 1e-30)
      }
    }
  }

  @Test("an activation is applied to a product")
  func activation() {
    let w = halves([1, 2, -3, 4])
    var y: [Float] = [0, 0]
    ck_gemv_halves(
      w, [1, 1] as [Float], nil, &y, 2, 2, ck_activation(kind: Int32(CK_CLIP), a: 0, b: 2))
    #expect(y == [2, 1])
  }

  @Test("a panel of wider rows", arguments: [1, 15, 16, 17, 40])
  func panels(columns: Int) {
    let (rows, stride) = (5, 43)
    let values = pseudorandom(rows * stride, seed: 3)
    let w = halves(values)
    let q = values.map { Int8($0 * 127) }
    let scales: [Float] = [1, 0.5, 3, 0.001, 100]
    var native = [Float](repeating: -9, count: rows * columns + 1)
    var (portable, bytes) = (native, native)
    ck_widen_halves(w, stride, rows, columns, &native)
    ck_widen_halves_portable(w, stride, rows, columns, &portable)
    ck_widen_bytes(q, stride, scales, rows, columns, &bytes)
    for row in 0..<rows {
      for column in 0..<columns {
        let (from, to) = (row * stride + column, row * columns + column)
        #expect(Double(native[to]) == value(w[from]))
        #expect(portable[to] == native[to])
        #expect(bytes[to] == Float(q[from]) * scales[row])
      }
    }
    #expect([native, portable, bytes].allSatisfy { $0[rows * columns] == -9 })
  }

  @Test("bytes are off by at most half of their row's step, and a row of zeros stays zero")
  func rounding() throws {
    var values = pseudorandom(6 * 50, seed: 9)
    for index in 50..<100 { values[index] *= 1e-6 }
    for index in 100..<150 { values[index] = 0 }
    for index in 150..<200 { values[index] *= 1e30 }
    let tensor = Tensor([6, 2, 5, 5], values)
    let scales = StoredTensor.rowScales(of: tensor)
    let stored = try StoredTensor(rounding: tensor, to: .int8, scales: scales)
    #expect(stored.scales == scales && stored.shape == tensor.shape)
    let widened = try #require(stored.widened.floats)
    for row in 0..<6 {
      let range = (row * 50)..<(row * 50 + 50)
      let largest = range.map { abs(values[$0]) }.max() ?? 0
      for index in range {
        #expect(abs(widened[index] - values[index]) <= largest / 127 * 0.5001)
        if row == 2 { #expect(widened[index] == 0) }
      }
    }
    let halves = try StoredTensor(
      rounding: Tensor([4], [1, 1 + 0x1p-11, 65504, 0x1p-24]), to: .float16)
    #expect(halves.widened.floats == [1, 1, 65504, 0x1p-24])
    #expect(halves.scales.isEmpty && StoredTensor.bytes([4], .float16) == 8)
    #expect(StoredTensor.bytes([3, 4], .int8) == 24 && StoredTensor.bytes([3, 4], .float32) == 48)
  }

  @Test(
    "a layer that a type cannot hold stays float32",
    arguments: [
      ([1, -65519], .float16, .int8), ([1, 65520], .float32, .int8), ([0, 0], .float16, .int8),
      ([0x1p-15, -0x1p-16], .float32, .int8), ([0x1p-14, 0x1p-20], .float16, .int8),
      ([1, .infinity], .float32, .float32), ([.nan, 1], .float32, .float32),
      ([1e38, 1], .float32, .int8), ([], .float16, .int8),
    ] as [([Float], ElementType, ElementType)])
  func fallback(values: [Float], half: ElementType, byte: ElementType) {
    values.withUnsafeBufferPointer {
      #expect(WeightType.f16.storage(for: $0) == half)
      #expect(WeightType.i8.storage(for: $0) == byte)
      #expect(WeightType.f32.storage(for: $0) == .float32)
    }
  }
}
