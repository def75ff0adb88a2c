import Foundations
import ModelGraph
import Tensors

// Folds over axes that are made of others, and places of extrema.
extension Operators {
  static let reductions: [String: Rule] = [
    "ReduceProd": { (lowering, node) throws(MartletError) in
      [try fold(&lowering, node, try node.input(0), .product, try Fold(lowering, node))]
    },
    "ReduceL1": { (lowering, node) throws(MartletError) in
      let size = try lowering.add(.unary(.absolute), [try node.input(0)], node, "size")
      return [try fold(&lowering, node, size, .sum, try Fold(lowering, node))]
    },
    "ReduceSumSquare": { (lowering, node) throws(MartletError) in
      [try sumOfSquares(&lowering, node, try Fold(lowering, node))]
    },
    "ReduceL2": { (lowering, node) throws(MartletError) in
      let sum = try sumOfSquares(&lowering, node, try Fold(lowering, node))
      return [try lowering.add(.unary(.squareRoot), [sum], node, "root")]
    },
    "ReduceLogSum": { (lowering, node) throws(MartletError) in
      let sum = try fold(&lowering, node, try node.input(0), .sum, try Fold(lowering, node))
      return [try lowering.add(.unary(.logarithm), [sum], node, "logarithm")]
    },
    "ReduceLogSumExp": logSumExp,
    "ArgMax": { (lowering, node) throws(MartletError) in
      try position(&lowering, node, isSmallest: false)
    },
    "ArgMin": { (lowering, node) throws(MartletError) in
      try position(&lowering, node, isSmallest: true)
    },
    "Hardmax": hardmax,
  ]

  /// What a fold is taken over, and the shape of its result.
  private struct Fold {
    var axes: [Int]
    var kept: Shape
    var result: Shape

    init(_ lowering: Lowering, _ node: NodeReader) throws(MartletError) {
      let shape = lowering.shape(try node.input(0))
      var axes = try node.integers("axes")
      if let id = node.optionalInput(1) { axes = try lowering.integers(id, "the axes") }
      let isNothing = axes?.isEmpty ?? true
      if isNothing {
        let isNoop = try node.integer("noop_with_empty_axes", default: 0) != 0
        self.axes = isNoop ? [] : Array(0..<shape.rank)
      } else {
        self.axes = try lowering.axes(axes ?? [], rank: shape.rank)
      }
      let keeps = try node.integer("keepdims", default: 1) != 0
      let chosen = self.axes
      kept = Shape(shape.dimensions.indices.map { chosen.contains($0) ? 1 : shape[$0] })
      result =
        keeps
        ? kept : Shape(shape.dimensions.indices.filter { !chosen.contains($0) }.map { shape[$0] })
    }
  }

  private static func fold(
    _ lowering: inout Lowering, _ node: NodeReader, _ x: ValueID, _ kind: Reduction.Kind,
    _ fold: Fold, keeping: Bool = false, _ suffix: String = ""
  ) throws(MartletError) -> ValueID {
    if fold.axes.isEmpty { return x }
    return try lowering.add(
      .reduction(Reduction(kind: kind, axes: fold.axes)), [x], node, suffix,
      shape: keeping ? fold.kept : fold.result)
  }

  private static func sumOfSquares(
    _ lowering: inout Lowering, _ node: NodeReader, _ fold: Fold
  ) throws(MartletError) -> ValueID {
    let x = try node.input(0)
    let squares = try lowering.add(.binary(.multiply), [x, x], node, "squares")
    return try Self.fold(&lowering, node, squares, .sum, fold, "sum")
  }

  /// The largest element is taken out, so that no exponential overflows.
  private static func logSumExp(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let over = try Fold(lowering, node)
    if over.axes.isEmpty { return [x] }
    let top = try fold(&lowering, node, x, .maximum, over, keeping: true, "top")
    let rest = try lowering.add(.binary(.subtract), [x, top], node, "rest")
    let powers = try lowering.add(.unary(.exponential), [rest], node, "powers")
    let sum = try fold(&lowering, node, powers, .sum, over, keeping: true, "sum")
    let logarithm = try lowering.add(.unary(.logarithm), [sum], node, "logarithm")
    let result = try lowering.add(.binary(.add), [logarithm, top], node)
    return [try lowering.reshape(result, over.result.dimensions, node, "shape")]
  }

  private static func position(
    _ lowering: inout Lowering, _ node: NodeReader, isSmallest: Bool
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let shape = lowering.shape(x)
    let axis = try lowering.axis(try node.integer("axis", default: 0), rank: shape.rank)
    let extremum = Extremum(
      axis: axis, isSmallest: isSmallest,
      isLast: try node.integer("select_last_index", default: 0) != 0)
    let result = try lowering.add(.extremum(extremum), [x], node)
    lowering.wholeNumbers[result] = Int64(shape[axis] - 1)
    guard try node.integer("keepdims", default: 1) == 0 else { return [result] }
    var extents = shape.dimensions
    extents.remove(at: axis)
    return [try lowering.reshape(result, extents, node, "shape")]
  }

  /// 1 at the first largest element along an axis, else 0.
  private static func hardmax(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let shape = lowering.shape(x)
    let isOld = node.opset < 13
    let axis = try lowering.axis(
      try node.integer("axis", default: isOld ? 1 : -1), rank: shape.rank)
    // Before version 13 the operand counts as a matrix that is split at the axis.
    let extents =
      isOld
      ? [shape.outerCount(before: axis), shape.dimensions[axis...].reduce(1, *)] : shape.dimensions
    let along = isOld ? 1 : axis
    let operand = try lowering.reshape(x, extents, node, "matrix")
    let top = try lowering.add(.extremum(Extremum(axis: along)), [operand], node, "top")
    let count = extents[along]
    try lowering.builder.charge(count)
    var ones = [Int](repeating: 1, count: extents.count)
    ones[along] = count
    let places = lowering.constant(
      Tensor(Shape(ones), (0..<count).map { Float($0) }), node, "places")
    let result = try lowering.add(.binary(.equal), [top, places], node)
    return [try lowering.reshape(result, shape.dimensions, node, "shape")]
  }
}
