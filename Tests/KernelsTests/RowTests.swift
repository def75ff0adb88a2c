import Foundations
import ModelGraph
import Tensors
import TestSupport
import Testing

@Suite struct RowTests {
  static func shape(_ random: inout SeededGenerator, rank: Int) -> Shape {
    Shape((0..<rank).map { _ in random.pick([1, 2, 3, 7, 20]) })
  }

  @Test(arguments: 0..<80)
  func layerNormalization(seed: Int) throws {
    var random = SeededGenerator(seed)
    var shape = Self.shape(&random, rank: random.int(2...4))
    var axes = Array((shape.rank - random.int(1...shape.rank))..<shape.rank)
    if seed % 2 == 0 {
      axes = [1]
      shape = [random.int(1...2), random.int(2...40), random.int(1...13), random.int(1...13)]
    }
    let statistics = Shape(axes.map { shape[$0] })
    let operands =
      [random.tensor(shape, in: -1...5)]
      + (0..<random.int(0...2)).map { _ in random.tensor(statistics) }
    try expectMatch(
      .layerNormalization(LayerNormalization(axes: axes, epsilon: 1e-3)), operands, output: shape,
      constants: [1, 2], tolerance: 2e-5, seed: seed)
  }

  @Test(arguments: 0..<60)
  func softmax(seed: Int) throws {
    var random = SeededGenerator(seed)
    let shape = Self.shape(&random, rank: random.int(1...4))
    try expectMatch(
      .softmax(axis: random.int(0...(shape.rank - 1)), logarithmic: seed % 2 == 0),
      [random.tensor(shape, in: -20...20)], output: shape, seed: seed)
  }

  @Test(arguments: 0..<120)
  func reduction(seed: Int) throws {
    var random = SeededGenerator(seed)
    let shape = Self.shape(&random, rank: random.int(1...5))
    let axes = (0..<shape.rank).filter { _ in random.int(0...1) == 0 }
    let output = shape.dimensions.indices.compactMap { axis in
      axes.contains(axis) ? (seed % 2 == 0 ? 1 : nil) : shape[axis]
    }
    try expectMatch(
      .reduction(
        Reduction(
          kind: random.pick([.mean, .sum, .maximum, .minimum, .product]), axes: axes)),
      [random.tensor(shape)], output: Shape(output), seed: seed)
  }

  /// Among numbers of which many are equal.
  @Test(arguments: 0..<80)
  func extremum(seed: Int) throws {
    var random = SeededGenerator(seed)
    let shape = Shape((0..<random.int(1...4)).map { _ in random.pick([1, 2, 3, 7, 70]) })
    let axis = random.int(0...(shape.rank - 1))
    let x = Tensor(shape, (0..<shape.count).map { _ in Float(random.int(-4...4)) })
    var output = shape.dimensions
    output[axis] = 1
    try expectMatch(
      .extremum(Extremum(axis: axis, isSmallest: seed % 2 == 0, isLast: seed % 3 == 0)), [x],
      output: Shape(output), tolerance: 0, seed: seed)
  }

  @Test(arguments: 0..<60)
  func dense(seed: Int) throws {
    var random = SeededGenerator(seed)
    let k = random.pick([0, 1, 5, 31, 32, 64, 100, 515])
    let m = random.pick([0, 1, 3, 4, 9, 300])
    let leading = random.pick([[], [1], [2], [1, 5], [2, 3], [150]])
    let operands =
      [random.tensor(Shape(leading + [k])), random.tensor([m, k])]
      + (seed % 2 == 0 ? [random.tensor([m])] : [])
    try expectMatch(
      .dense(Dense(activation: random.pick(WindowTests.activations))), operands,
      output: Shape(leading + [m]), constants: [1, 2], tolerance: 3e-6, seed: seed)
  }

  @Test(arguments: 0..<60)
  func matMul(seed: Int) throws {
    var random = SeededGenerator(seed)
    let (m, k, n) = (random.int(1...9), random.int(0...9), random.int(1...9))
    let (a, b, batch) = random.pick([
      ([], [], []), ([2], [2], [2]), ([2, 3], [3], [2, 3]), ([1], [4], [4]),
      ([3, 1], [1, 2], [3, 2]), ([], [0], [0]),
    ])
    try expectMatch(
      .matMul, [random.tensor(Shape(a + [m, k])), random.tensor(Shape(b + [k, n]))],
      output: Shape(batch + [m, n]), seed: seed)
  }
}
