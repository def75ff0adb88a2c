/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, the same on every machine.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// A stream of its own for each pair of numbers.
  public init(seed: Int, stream: Int = 0) {
    state = UInt64(bitPattern: Int64(seed)) &* 0xd134_2543_de82_ef95
    state = next() &+ UInt64(bitPattern: Int64(stream)) &* 0xaf25_1af3_b0f0_25b5
    _ = next()
  }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Uniform in [0, 1), from 53 bits.
  public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A random order of 0 ..< count (Fisher and Yates). The standard library's shuffling may change
  /// between its versions; this does not.
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, Int(next() % UInt64(last + 1)))
    }
    return order
  }
}
