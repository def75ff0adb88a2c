package import Foundations
package import Tensors

extension SeededGenerator {
  /// The numbers of one seed, whatever its type.
  package init(_ seed: some BinaryInteger) { self.init(seed: UInt64(seed)) }

  /// A number of a range.
  package mutating func int(_ range: ClosedRange<Int>) -> Int {
    Int.random(in: range, using: &self)
  }

  /// One of several.
  package mutating func pick<T>(_ choices: [T]) -> T { choices[int(0...(choices.count - 1))] }

  /// A tensor of numbers of a range.
  package mutating func tensor(_ shape: Shape, in range: ClosedRange<Float> = -1...1) -> Tensor {
    Tensor(shape, (0..<shape.count).map { _ in Float.random(in: range, using: &self) })
  }
}
