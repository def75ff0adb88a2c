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
}
