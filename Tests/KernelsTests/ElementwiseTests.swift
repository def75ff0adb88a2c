import Foundations
import ModelGraph
import Tensors
import TestSupport
import Testing

@Suite struct ElementwiseTests {
  @Test(arguments: WindowTests.functions)
  func activation(_ activation: Activation) throws {
    // A fine sweep: the error must stay below 1e-6 of the output's scale everywhere.
    for scale: Float in [1, 12, 100] {
      let values = (0...40_000).map { (Float($0) / 20_000 - 1) * scale }
      try expectMatch(
        .activation(activation), [Tensor([values.count], values)], output: [values.count],
        tolerance: 4e-7, seed: Int(scale))
    }
  }

  @Test func sigmoidOfExtremes() throws {
    let x: [Float] = [-1e30, -200, 200, 1e30]
    try expectMatch(.activation(.sigmoid), [Tensor([4], x)], output: [4], seed: 0)
    try expectMatch(.activation(.tanh), [Tensor([4], x)], output: [4], seed: 0)
  }

  @Test(arguments: [
    UnaryFunction.negate, .absolute, .exponential, .logarithm, .squareRoot, .reciprocal,
    .errorFunction, .floor, .ceiling,
  ])
  func unary(_ function: UnaryFunction) throws {
    var random = SeededGenerator(7)
    let isPositive = [.logarithm, .squareRoot, .reciprocal].contains(function)
    let x = random.tensor([3, 1001], in: isPositive ? 0.1...9 : -9...9)
    try expectMatch(.unary(function), [x], output: [3, 1001], tolerance: 5e-7, seed: 7)
  }

  @Test(arguments: 0..<200)
  func binary(seed: Int) throws {
    var random = SeededGenerator(seed)
    let function = random.pick([
      BinaryFunction.add, .subtract, .multiply, .divide, .power, .maximum, .minimum,
    ])
    let rank = random.int(0...5)
    let full = (0..<rank).map { _ in random.pick([1, 2, 3, 5, 17]) }
    func part() -> [Int] {
      let whole = full.map { random.int(0...2) == 0 ? 1 : $0 }
      return Array(whole.dropFirst(random.int(0...4) == 0 ? random.int(0...rank) : 0))
    }
    let (a, b) = (random.int(0...2) == 0 ? full : part(), random.int(0...2) == 0 ? full : part())
    let longest = max(a.count, b.count)
    let output = (0..<longest).map { axis in
      let m = axis < longest - a.count ? 1 : a[axis - (longest - a.count)]
      let n = axis < longest - b.count ? 1 : b[axis - (longest - b.count)]
      return max(m, n)
    }
    try expectMatch(
      .binary(function),
      [random.tensor(Shape(a), in: 0.1...2), random.tensor(Shape(b), in: 0.1...2)],
      output: Shape(output), constants: seed % 3 == 0 ? [1] : [], seed: seed)
  }

  /// Of numbers among which many are equal.
  @Test(arguments: [
    BinaryFunction.equal, .less, .lessOrEqual, .greater, .greaterOrEqual,
  ])
  func comparison(_ function: BinaryFunction) throws {
    var random = SeededGenerator(11)
    func tensor(_ shape: Shape) -> Tensor {
      Tensor(shape, (0..<shape.count).map { _ in Float(random.int(-2...2)) })
    }
    for shape in [[3, 37], [37], [1], [3, 1]] as [Shape] {
      try expectMatch(
        .binary(function), [tensor([3, 37]), tensor(shape)], output: [3, 37], tolerance: 0,
        seed: shape.count)
      try expectMatch(
        .binary(function), [tensor(shape), tensor([3, 37])], output: [3, 37], tolerance: 0,
        seed: shape.count)
    }
  }

  @Test(arguments: 0..<60)
  func choice(seed: Int) throws {
    var random = SeededGenerator(seed)
    let full = (0..<random.int(0...4)).map { _ in random.pick([1, 2, 3, 17]) }
    func tensor(_ isCondition: Bool) -> Tensor {
      let kept = full.map { random.int(0...2) == 0 ? 1 : $0 }
      let shape = Shape(Array(kept.dropFirst(random.int(0...3) == 0 ? 1 : 0)))
      return isCondition
        ? Tensor(shape, (0..<shape.count).map { _ in Float(random.int(0...1)) })
        : random.tensor(shape)
    }
    let operands = [tensor(true), tensor(false), tensor(false)]
    let output = try Shape.broadcast(
      try Shape.broadcast(operands[0].shape, operands[1].shape), operands[2].shape)
    try expectMatch(.choice, operands, output: output, tolerance: 0, seed: seed)
  }

  @Test(arguments: [2, 0.5, 3] as [Float])
  func powerOfScalar(exponent: Float) throws {
    var random = SeededGenerator(1)
    try expectMatch(
      .binary(.power), [random.tensor([4, 9], in: 0.1...3), Tensor([], [exponent])],
      output: [4, 9], constants: [1], seed: 1)
  }

  @Test func channelAffine() throws {
    var random = SeededGenerator(2)
    for shape: Shape in [[2, 3, 4, 5], [2, 3], [1, 4, 7]] {
      try expectMatch(
        .channelAffine,
        [random.tensor(shape), random.tensor([shape[1]]), random.tensor([shape[1]])],
        output: shape, constants: [1, 2], seed: 2)
    }
  }
}
