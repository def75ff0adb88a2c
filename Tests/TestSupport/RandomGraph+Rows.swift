import Foundations
package import ModelGraph
import Tensors

// Networks whose images get other heights in between.
extension RandomGraph {
  /// A network with resizes and strided transposed convolutions among windows and blocks of others, over
  /// images of any height.
  package static func resized(seed: UInt64) throws -> Graph {
    var heights = SeededGenerator(seed &+ 78)
    var graph = RandomGraph(seed: seed, height: Int.random(in: 3...29, using: &heights))
    for _ in 0..<Int.random(in: 2...6, using: &graph.generator) {
      switch Int.random(in: 0...4, using: &graph.generator) {
      case 0...1:
        let columns = Bool.random(using: &graph.generator) ? 4...12 : nil
        graph.current = try graph.resize(rows: 1...24, columns: columns, excludesOutside: false)
      case 2: try graph.spreadRows()
      case 3: try graph.window()
      default: try graph.block()
      }
    }
    try graph.head()
    return graph.builder.graph
  }

  /// Resizes and what else gives the same bits wherever it is computed: its first output. A classifier
  /// behind it.
  ///
  /// - Returns: also how many nodes the first output takes, which come first.
  package static func sampled(seed: UInt64) throws -> (graph: Graph, nodes: Int) {
    var heights = SeededGenerator(seed &+ 79)
    var graph = RandomGraph(seed: seed, height: Int.random(in: 1...29, using: &heights))
    graph.current = try graph.resize(rows: 1...24, columns: nil)
    for _ in 0..<Int.random(in: 1...4, using: &graph.generator) {
      switch Int.random(in: 0...4, using: &graph.generator) {
      case 0...1: graph.current = try graph.resize(rows: 1...24, columns: 1...12)
      case 2: graph.current = try graph.add(.activation(.relu), [graph.current])
      case 3: try graph.largestOfRows()
      default: try graph.sumOfResizes()
      }
    }
    try graph.builder.addOutput(graph.current, name: "picture")
    let count = graph.builder.graph.nodes.count
    try graph.head()
    return (graph.builder.graph, count)
  }

  private mutating func resize(
    rows: ClosedRange<Int>, columns: ClosedRange<Int>?, excludesOutside: Bool? = nil
  ) throws -> ValueID {
    let filter = generator.pick([Resize.Filter.nearest, .linear, .cubic])
    var axes = [resizedAxis(2, rows)]
    if let columns { axes.append(resizedAxis(3, columns)) }
    return try add(
      .resize(
        Resize(
          filter: filter, axes: axes,
          coordinates: generator.pick([
            .halfPixel, .halfPixelSymmetric, .pytorchHalfPixel, .tfHalfPixelForNn, .alignCorners,
            .asymmetric, .tfCropAndResize,
          ]),
          rounding: generator.pick([.roundPreferFloor, .roundPreferCeil, .floor, .ceil, .simple]),
          excludesOutside: excludesOutside ?? generator.pick([false, true]),
          antialias: filter != .nearest && generator.pick([false, true]), extrapolation: 0.5)),
      [current])
  }

  private mutating func resizedAxis(_ axis: Int, _ extents: ClosedRange<Int>) -> Resize.Axis {
    let extent = generator.int(extents)
    return Resize.Axis(
      axis: axis, extent: extent,
      scale: Float(extent) / Float(shape[axis]) * generator.pick([1, 1, 1.02, 0.97]),
      start: Float(generator.int(-2...3)) / 8, end: Float(generator.int(5...10)) / 8)
  }

  /// A transposed convolution with strides, at times over holes.
  private mutating func spreadRows() throws {
    guard shape[2] <= 12 else { return try window() }
    let from = shape[1]
    let step = generator.int(2...3)
    let dilation = generator.int(1...2)
    let kernel = generator.int(step...4)
    let span = (kernel - 1) * dilation + 1
    // At least one row is left of one row.
    let top = generator.int((span - 1) / 2...span - 1)
    let bottom = generator.int(span - 1 - (span - 1) / 2...span - 1)
    let channels = generator.int(2...6)
    current = try add(
      .convolution(
        Convolution(
          kernel: Pair(kernel, 3), dilations: Pair(dilation, 1),
          padding: Padding(top, 1, bottom, 1), activation: .relu, spread: Pair(step, 1))),
      [current, weights([channels, from, kernel, 3]), weights([channels])])
  }

  private mutating func largestOfRows() throws {
    let (kernel, stride, dilation, top, bottom) = vertical()
    current = try add(
      .pooling(
        Pooling(
          kind: .maximum, kernel: Pair(kernel, 1), strides: Pair(stride, 1),
          dilations: Pair(dilation, 1), padding: Padding(top, 0, bottom, 0))),
      [current])
  }

  private mutating func sumOfResizes() throws {
    let rows = generator.int(1...24)
    let one = try resize(rows: rows...rows, columns: nil)
    let other = try resize(rows: rows...rows, columns: nil)
    current = try add(.binary(.add), [one, other])
  }
}
