import Foundations
import ModelGraph
import Tensors
import TestSupport
import Testing

@Suite struct MovementTests {
  @Test(arguments: 0..<80)
  func transpose(seed: Int) throws {
    var random = SeededGenerator(seed)
    let shape = RowTests.shape(&random, rank: random.int(0...5))
    let permutation = Array(0..<shape.rank).shuffled(using: &random)
    try expectMatch(
      .transpose(permutation: permutation), [random.tensor(shape)],
      output: Shape(permutation.map { shape[$0] }), seed: seed)
  }

  @Test func transposeOfLayouts() throws {
    var random = SeededGenerator(3)
    for (shape, permutation): (Shape, [Int]) in [
      ([2, 33, 17, 5], [0, 2, 3, 1]), ([2, 17, 5, 33], [0, 3, 1, 2]), ([64, 48], [1, 0]),
    ] {
      try expectMatch(
        .transpose(permutation: permutation), [random.tensor(shape)],
        output: Shape(permutation.map { shape[$0] }), seed: 3)
    }
  }

  @Test(arguments: 0..<80)
  func slice(seed: Int) throws {
    var random = SeededGenerator(seed)
    let shape = RowTests.shape(&random, rank: random.int(1...4))
    let ranges = shape.dimensions.map { extent in
      let start = random.int(0...(extent - 1))
      let step = random.pick([1, 1, 2, 3, -1, -2])
      let most = step > 0 ? (extent - 1 - start) / step + 1 : start / -step + 1
      return SliceRange(start: start, step: step, count: random.int(min(seed % 7, 1)...most))
    }
    try expectMatch(
      .slice(ranges), [random.tensor(shape)], output: Shape(ranges.map(\.count)), seed: seed)
  }

  @Test(arguments: 0..<80)
  func pad(seed: Int) throws {
    var random = SeededGenerator(seed)
    let shape = RowTests.shape(&random, rank: random.int(1...4))
    var before: [Int] = []
    var after: [Int] = []
    for extent in shape.dimensions {
      before.append(random.int(max(-2, -extent)...3))
      after.append(random.int(max(-2, -extent - min(before.last ?? 0, 0))...3))
    }
    let output = shape.dimensions.indices.map { before[$0] + shape[$0] + after[$0] }
    guard output.allSatisfy({ $0 >= 0 }) else { return }
    try expectMatch(
      .pad(before: before, after: after, value: 0.5), [random.tensor(shape)],
      output: Shape(output), seed: seed)
  }

  @Test(arguments: 0..<60)
  func concatenation(seed: Int) throws {
    var random = SeededGenerator(seed)
    let shape = RowTests.shape(&random, rank: random.int(1...4))
    let axis = random.int(0...(shape.rank - 1))
    let extents = (0..<random.int(1...4)).map { _ in random.int(0...4) }
    try expectMatch(
      .concatenation(axis: axis),
      extents.map { random.tensor(shape.replacing(axis: axis, with: $0)) },
      output: shape.replacing(axis: axis, with: extents.reduce(0, +)), seed: seed)
  }

  @Test(arguments: 0..<40)
  func selection(seed: Int) throws {
    var random = SeededGenerator(seed)
    let shape = RowTests.shape(&random, rank: random.int(1...4))
    let axis = random.int(0...(shape.rank - 1))
    let indices = (0..<random.int(0...6)).map { _ in random.int(0...(shape[axis] - 1)) }
    try expectMatch(
      .selection(axis: axis, indices: indices), [random.tensor(shape)],
      output: shape.replacing(axis: axis, with: indices.count), seed: seed)
  }

  @Test func reshape() throws {
    var random = SeededGenerator(4)
    try expectMatch(.reshape, [random.tensor([2, 6])], output: [3, 4], seed: 4)
  }
}
