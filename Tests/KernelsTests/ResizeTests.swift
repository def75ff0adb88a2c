import Foundations
import Kernels
import ModelGraph
import Tensors
import TestSupport
import Testing

@Suite struct ResizeTests {
  /// Any axes, growing and shrinking, by every filter.
  @Test(arguments: 0..<120)
  func resize(seed: Int) throws {
    var random = SeededGenerator(seed)
    let shape = Shape((0..<random.int(1...3)).map { _ in random.pick([1, 2, 3, 5, 7]) })
    var output = shape
    var axes: [Resize.Axis] = []
    let all = Array(0..<shape.rank)
    for axis in all.shuffled(using: &random).prefix(random.int(1...2)).sorted() {
      let extent = random.int(1...9)
      output = output.replacing(axis: axis, with: extent)
      axes.append(
        Resize.Axis(
          axis: axis, extent: extent, scale: Float(extent) / Float(shape[axis]),
          start: Float(random.int(-2...3)) / 8, end: Float(random.int(5...10)) / 8))
    }
    let filter = random.pick([Resize.Filter.nearest, .linear, .cubic])
    let resize = Resize(
      filter: filter, axes: axes,
      coordinates: random.pick([
        .halfPixel, .halfPixelSymmetric, .pytorchHalfPixel, .tfHalfPixelForNn, .alignCorners,
        .asymmetric, .tfCropAndResize,
      ]),
      rounding: random.pick([.roundPreferFloor, .roundPreferCeil, .floor, .ceil, .simple]),
      excludesOutside: random.pick([false, true]),
      antialias: filter != .nearest && random.pick([false, true]), extrapolation: 0.5)
    try expectMatch(
      .resize(resize), [random.tensor(shape)], output: output, tolerance: 1e-5, seed: seed)
  }

  /// More axes than planes between passes, two of which take turns.
  @Test func fourAxes() throws {
    var random = SeededGenerator(1)
    let axes = [(1, 5, 2.5), (2, 2, 0.5), (3, 4, 2), (4, 2, 0.4)].map {
      Resize.Axis(axis: $0, extent: $1, scale: Float($2))
    }
    for filter in [Resize.Filter.nearest, .linear] {
      try expectMatch(
        .resize(Resize(filter: filter, axes: axes)), [random.tensor([2, 2, 4, 2, 5])],
        output: [2, 5, 2, 4, 2], tolerance: 1e-5, seed: 1)
    }
  }

  /// The weights of each element add up to one, and every index is one of the operand.
  @Test(arguments: [Resize.Filter.nearest, .linear, .cubic], [false, true])
  func taps(filter: Resize.Filter, antialias: Bool) throws {
    for (extent, result) in [(1, 9), (9, 1), (5, 12), (40, 7), (6, 6)] {
      let axis = Resize.Axis(
        axis: 0, extent: result, scale: Float(result) / Float(extent) * 1.01)
      let resize = Resize(
        filter: filter, axes: [axis], antialias: antialias && filter != .nearest)
      let taps = resize.taps(axis, extent: extent)
      #expect(taps.indices.count == result * taps.width)
      #expect(taps.weights.count == taps.indices.count)
      #expect(taps.indices.allSatisfy { $0 >= 0 && $0 < extent })
      for index in 0..<result {
        let sum = taps.weights[index * taps.width..<(index + 1) * taps.width].reduce(0, +)
        #expect(abs(sum - 1) < 1e-5, "\(extent) to \(result)")
      }
    }
  }

  /// What a plan from anywhere may say: refused before any memory is taken, with the node's name.
  @Test func impossibleResizes() {
    func axis(
      _ axis: Int = 2, _ extent: Int = 16, _ scale: Float = 2, start: Float = 0, end: Float = 1
    ) -> Resize.Axis {
      Resize.Axis(axis: axis, extent: extent, scale: scale, start: start, end: end)
    }
    let fitting = Resize(filter: .linear, axes: [axis()])
    let wrong: [Resize] = [
      Resize(filter: .linear, axes: []),
      Resize(filter: .linear, axes: [axis(4)]), Resize(filter: .linear, axes: [axis(-1)]),
      Resize(filter: .linear, axes: [axis(2), axis(2)]),
      Resize(filter: .linear, axes: [axis(3, 8, 1), axis(2)]),
      Resize(filter: .linear, axes: [axis(2, 0)]), Resize(filter: .linear, axes: [axis(2, -16)]),
      Resize(filter: .linear, axes: [axis(2, .max)]),
      Resize(filter: .linear, axes: [axis(2, 17)]),
      Resize(filter: .linear, axes: [axis(2, 16, 0)]),
      Resize(filter: .linear, axes: [axis(2, 16, -2)]),
      Resize(filter: .linear, axes: [axis(2, 16, .nan)]),
      Resize(filter: .linear, axes: [axis(2, 16, .infinity)]),
      Resize(filter: .linear, axes: [axis(2, 16, 1e-30)]),
      Resize(filter: .linear, axes: [axis(start: .nan)]),
      Resize(filter: .linear, axes: [axis(end: 1e30)]),
      Resize(filter: .nearest, axes: [axis()], antialias: true),
      Resize(filter: .cubic, axes: [axis()], cubicCoefficient: .nan),
      // The filter would reach over more than there is, for each of many elements.
      Resize(filter: .linear, axes: [axis(2, 1 << 20, 1e-6)], antialias: true),
      Resize(filter: .linear, axes: [axis(2, 1 << 20, 1), axis(3, 1 << 20, 1)]),
    ]
    func code(_ resize: Resize) -> MartletError.Code? {
      let x = Tensor([1, 2, 8, 8], [Float](repeating: 0, count: 128))
      var output: Shape = [1, 2, 16, 8]
      if resize.axes.count == 2, resize.axes[1].extent > 16 {
        output = [1, 2, resize.axes[0].extent, resize.axes[1].extent]
      }
      do {
        _ = try Program(Graph(.resize(resize), [x], output: output))
        return nil
      } catch {
        #expect(error.context.contains { $0.key == "node" && $0.value == "node" })
        return error.code
      }
    }
    #expect(code(fitting) == nil)
    for resize in wrong { #expect(code(resize) == .invalidShape, "\(resize)") }
  }

  /// Some rows from those that they read are those of the whole, to the last bit.
  @Test(arguments: 0..<60) func parts(seed: Int) throws {
    var random = SeededGenerator(seed)
    let (height, width) = (random.int(1...12), random.int(1...7))
    let (rows, columns) = (random.int(1...16), random.int(1...9))
    let filter = random.pick([Resize.Filter.nearest, .linear, .cubic])
    let resize = Resize(
      filter: filter,
      axes: [
        Resize.Axis(axis: 1, extent: rows, scale: Float(rows) / Float(height)),
        Resize.Axis(axis: 2, extent: columns, scale: Float(columns) / Float(width)),
      ], coordinates: random.pick([.halfPixel, .alignCorners, .asymmetric]),
      antialias: filter != .nearest && random.pick([false, true]))
    let x = random.tensor([2, height, width])
    func run(_ resize: Resize, _ x: Tensor, rows: Int) throws -> [Float] {
      let graph = Graph(.resize(resize), [x], output: [2, rows, columns])
      return try Execution(try Program(graph)).run(inputs: [x])[0].floats ?? []
    }
    func cut(_ values: [Float], _ rows: Range<Int>, of height: Int, width: Int) -> [Float] {
      (0..<2).flatMap { plane in
        values[
          (plane * height + rows.lowerBound) * width..<(plane * height + rows.upperBound) * width]
      }
    }
    let all = try run(resize, x, rows: rows)
    for low in 0..<rows {
      let mine = low..<random.int(low + 1...rows)
      let read = ResizedRows(resize: resize, axis: resize.axes[0], extent: height).operand(mine)
      let part = resize.computing(mine, axis: 1, reading: read, of: height)
      let given = Tensor(
        [2, read.count, width], cut(x.floats ?? [], read, of: height, width: width))
      let result = try run(part, given, rows: mine.count)
      #expect(result == cut(all, mine, of: rows, width: columns), "seed \(seed), rows \(mine)")
    }
  }

  /// A part that does not fit what is there.
  @Test func impossibleParts() {
    func code(_ part: Resize.Axis.Part) -> MartletError.Code? {
      let axis = Resize.Axis(axis: 2, extent: 16, scale: 2, part: part)
      let x = Tensor([1, 2, 8, 8], [Float](repeating: 0, count: 128))
      do {
        _ = try Program(
          Graph(.resize(Resize(filter: .linear, axes: [axis])), [x], output: [1, 2, 16, 8]))
        return nil
      } catch {
        return error.code
      }
    }
    #expect(code(.init(result: 16, operand: 8, first: 0, start: 0)) == nil)
    let wrong: [Resize.Axis.Part] = [
      .init(result: 15, operand: 8, first: 0, start: 0),
      .init(result: 16, operand: 7, first: 0, start: 0),
      .init(result: 16, operand: 8, first: -1, start: 0),
      .init(result: 16, operand: 8, first: 1, start: 0),
      .init(result: 16, operand: 8, first: 0, start: -1),
      .init(result: .max, operand: .max, first: .max, start: .max),
      .init(result: .min, operand: .min, first: .min, start: .min),
      // Reads ten rows.
      .init(result: 32, operand: 16, first: 8, start: 3),
    ]
    for part in wrong { #expect(code(part) == .invalidShape, "\(part)") }
  }
}
