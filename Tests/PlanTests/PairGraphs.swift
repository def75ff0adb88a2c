import Foundations
import ModelGraph
import Tensors
import TestSupport

/// Networks of which it is known where pairs are.
enum PairGraphs {
  /// Expand, depthwise, project, and add the input.
  ///
  /// - Parameter isBranched: whether another convolution reads the hidden value as well.
  static func inverted(isBranched: Bool = false) throws -> Graph {
    var builder = GraphBuilder(name: "inverted")
    var generator = SeededGenerator(4)
    func weights(_ shape: Shape) -> ValueID {
      builder.add(
        constant: Tensor(
          shape, (0..<shape.count).map { _ in Float.random(in: -1...1, using: &generator) }),
        name: "w\(builder.graph.values.count)")
    }
    let x = builder.addInput(name: "x", shape: [1, 4, 6, 6])
    let pointwise = Operation.convolution(Convolution(kernel: Pair(1, 1)))
    let wide = try builder.add(
      pointwise, [x, weights([12, 4, 1, 1]), weights([12])], name: "wide")
    let deep = try builder.add(
      .convolution(
        Convolution(
          kernel: Pair(3, 3), padding: Padding(1, 1, 1, 1), groups: 12, activation: .relu)),
      [wide, weights([12, 1, 3, 3]), weights([12])], name: "deep")
    let narrow = try builder.add(
      pointwise, [deep, weights([4, 12, 1, 1]), weights([4])], name: "narrow")
    try builder.addOutput(
      try builder.add(.binary(.add), [narrow, x], name: "sum"), name: "y")
    if isBranched {
      try builder.addOutput(
        try builder.add(pointwise, [deep, weights([3, 12, 1, 1])], name: "other"), name: "z")
    }
    return builder.graph
  }
}
