import Foundations
import ModelGraph
import Tensors
import TestSupport
import Testing

@Suite("Rows that rows are made of")
struct RowRuleTests {
  private func reach(_ operands: [RowRule.Operand]?) -> RowReach? {
    if case .rows(axis: 2, let reach) = operands?.first { reach } else { nil }
  }

  /// Every range of rows of a resize, and the part that computes it.
  @Test(arguments: 0..<150) func resizes(seed: Int) throws {
    var random = SeededGenerator(seed)
    let (extent, count) = (random.int(1...16), random.int(1...16))
    let axis = Resize.Axis(
      axis: 2, extent: count,
      scale: Float(count) / Float(extent) * random.pick([1, 1, 1.02, 0.97]),
      start: Float(random.int(-4...12)) / 8, end: Float(random.int(-4...12)) / 8)
    let filter = random.pick([Resize.Filter.nearest, .linear, .cubic])
    let resize = Resize(
      filter: filter, axes: [axis],
      coordinates: random.pick([
        .halfPixel, .halfPixelSymmetric, .pytorchHalfPixel, .tfHalfPixelForNn, .alignCorners,
        .asymmetric, .tfCropAndResize,
      ]),
      rounding: random.pick([.roundPreferFloor, .roundPreferCeil, .floor, .ceil, .simple]),
      excludesOutside: random.pick([false, true]),
      antialias: filter != .nearest && random.pick([false, true]))
    let rows = try #require(
      reach(resize.rows(axis: 2, [[1, 1, extent, 1]], result: [1, 1, count, 1])))
    let taps = resize.taps(axis, extent: extent)
    for low in 0..<count {
      for high in low + 1...count {
        let chosen = low * taps.width..<high * taps.width
        let indices = taps.indices[chosen].map { Int($0) }
        let read = (indices.min() ?? 0)..<(indices.max() ?? 0) + 1
        #expect(rows.operand(low..<high) == read, "seed \(seed), \(low)..<\(high)")
        let part = resize.computing(low..<high, axis: 2, reading: read, of: extent)
        #expect(
          try part.outputShape([[1, 1, read.count, 1]], declared: nil) == [1, 1, high - low, 1])
        let mine = part.taps(part.axes[0], extent: read.count)
        #expect(mine.weights == Array(taps.weights[chosen]))
        #expect(mine.indices.map { Int($0) + read.lowerBound } == indices)
        #expect(mine.outside == taps.outside.filter { low..<high ~= $0 }.map { $0 - low })
      }
    }
  }

  /// Every range of rows of a convolution, over operands that are spread and others.
  @Test(arguments: 0..<150) func windows(seed: Int) throws {
    var random = SeededGenerator(seed)
    let (kernel, dilation, step) = (random.int(1...4), random.int(1...2), random.int(1...3))
    let span = (kernel - 1) * dilation + 1
    let (top, bottom) = (random.int(0...span - 1), random.int(0...span - 1))
    let height = random.int(1...9)
    let convolution = Convolution(
      kernel: Pair(kernel, 1), dilations: Pair(dilation, 1), padding: Padding(top, 0, bottom, 0),
      spread: step > 1 ? Pair(step, 1) : nil)
    let shapes: [Shape] = [[1, 1, height, 1], [1, 1, kernel, 1]]
    guard let result = try? convolution.outputShape(shapes, declared: nil) else { return }
    let rows = reach(convolution.rows(axis: 2, shapes, result: result))
    #expect((rows == nil) == (step > span))
    guard case .window(let window)? = rows else { return }
    for low in 0..<result[2] {
      for high in low + 1...result[2] {
        let read = (0..<height).filter { (low - top..<high - 1 - top + span).contains($0 * step) }
        let expected = (read.first ?? 0)..<(read.last ?? -1) + 1
        #expect(window.operand(low..<high) == expected, "seed \(seed), \(low)..<\(high)")
        var part = convolution
        (part.padding.top, part.padding.bottom) = window.padding(low..<high)
        let computed = try part.outputShape([[1, 1, read.count, 1], shapes[1]], declared: nil)
        #expect(computed[2] == high - low, "seed \(seed), \(low)..<\(high)")
      }
    }
  }
}
