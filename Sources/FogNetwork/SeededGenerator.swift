package import Foundations

extension SeededGenerator {
  /// A stream of its own for each pair of numbers.
  package init(stream: Int, of seed: Int) {
    var first = SeededGenerator(
      seed: UInt64(bitPattern: Int64(seed)) &* 0xd134_2543_de82_ef95)
    self.init(
      seed: first.next() &+ UInt64(bitPattern: Int64(stream)) &* 0xaf25_1af3_b0f0_25b5)
    _ = next()
  }

  /// A random order of 0 ..< count (Fisher and Yates). The standard library's shuffling may change
  /// between its versions; this does not.
  package mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, Int(next() % UInt64(last + 1)))
    }
    return order
  }
}
