import Tensors
import Testing

@Suite struct HalfPrecisionTests {
  private func widened(_ halves: [UInt16]) -> [Float] {
    var result = [Float](repeating: 0, count: halves.count)
    halves.withUnsafeBufferPointer { input in
      result.withUnsafeMutableBufferPointer { HalfPrecision.decode(input, into: $0) }
    }
    return result
  }

  private func narrowed(_ floats: [Float]) -> [UInt16] {
    var result = [UInt16](repeating: 0, count: floats.count)
    floats.withUnsafeBufferPointer { input in
      result.withUnsafeMutableBufferPointer { HalfPrecision.encode(input, into: $0) }
    }
    return result
  }

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

  @Test func everyHalfIsWidenedExactlyAndComesBack() {
    let halves = Array(UInt16.min...UInt16.max)
    let floats = widened(halves)
    let back = narrowed(floats)
    var wrong = 0
    for (index, half) in halves.enumerated() {
      let expected = value(half)
      if expected.isNaN {
        if !floats[index].isNaN || !value(back[index]).isNaN { wrong += 1 }
      } else if Double(floats[index]) != expected || back[index] != half {
        wrong += 1
      }
    }
    #expect(wrong == 0)
  }

  @Test func narrowingRoundsToNearestEven() {
    var wrong = 0
    // Between each two neighbours: the middle goes to the even one, a little off it to the nearer.
    for half in UInt16(0)..<0x7BFF {
      let low = value(half)
      let high = value(half + 1)
      let middle = Float((low + high) / 2)
      let even = half & 1 == 0 ? half : half + 1
      let results = narrowed([middle, middle.nextDown, middle.nextUp, -middle])
      if results != [even, half, half + 1, even | 0x8000] { wrong += 1 }
    }
    #expect(wrong == 0)
    #expect(narrowed([65519.99, 65520, 1e30, -.infinity]) == [0x7BFF, 0x7C00, 0x7C00, 0xFC00])
    #expect(widened([]).isEmpty)
  }
}
