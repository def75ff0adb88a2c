import Foundations
import ModelGraph
import Tensors

// Folds over axes: of integers, and those that give places.
extension ConstantRules {
  static let folds: [String: Rule] = [
    "ReduceSum": fold(0) { $0 &+ $1 }, "ReduceProd": product, "ReduceMean": mean,
    "ReduceMax": fold(.min) { max($0, $1) }, "ReduceMin": fold(.max) { min($0, $1) },
    "ArgMax": { (lowering, operands) throws(MartletError) in
      try extreme(&lowering, operands, { $0 > $1 }, { $0 > $1 })
    },
    "ArgMin": { (lowering, operands) throws(MartletError) in
      try extreme(&lowering, operands, { $0 < $1 }, { $0 < $1 })
    },
  ]

  /// The folded axes, ascending, and the result's shape; nil for a node that changes nothing.
  private static func axes(
    _ lowering: Lowering, _ operands: ConstantOperands
  ) throws(MartletError) -> (axes: [Int], shape: Shape)? {
    let shape = try operands[0].shape
    let node = operands.node
    var axes = try node.integers("axes")
    if operands.optional(1) != nil { axes = try operands.integers(1, "the axes") }
    let given = axes ?? []
    if given.isEmpty, try node.integer("noop_with_empty_axes", default: 0) != 0 { return nil }
    let chosen =
      given.isEmpty ? Array(0..<shape.rank) : try lowering.axes(given, rank: shape.rank)
    return (chosen, folded(shape, chosen, keeps: try node.integer("keepdims", default: 1) != 0))
  }

  private static func folded(_ shape: Shape, _ axes: [Int], keeps: Bool) -> Shape {
    Shape(
      shape.dimensions.indices.compactMap { axis in
        axes.contains(axis) ? (keeps ? 1 : nil) : shape[axis]
      })
  }

  /// Folds each group of elements that differ in the axes alone.
  private static func folded<Element>(
    _ values: [Element], _ shape: Shape, _ axes: [Int], _ start: Element,
    _ join: (Element, Element) -> Element
  ) throws(MartletError) -> [Element] {
    let target = folded(shape, axes, keeps: true)
    var result = [Element](repeating: start, count: target.count)
    var position = 0
    try shape.forEachIndex { index throws(MartletError) in
      var index = index
      for axis in axes { index[axis] = 0 }
      let place = target.position(index)
      result[place] = join(result[place], values[position])
      position += 1
    }
    return result
  }

  private static func fold(
    _ start: Int64, _ join: @escaping @Sendable (Int64, Int64) -> Int64
  ) -> Rule {
    { (lowering, operands) throws(MartletError) in
      guard let values = try operands[0].integers else { return nil }
      guard let (axes, shape) = try axes(lowering, operands) else { return [try operands[0]] }
      try lowering.builder.charge(shape.count, reading: 2 * values.count)
      return [
        Tensor(shape, try folded(values, try operands[0].shape, axes, start, join))
      ]
    }
  }

  /// Means of integers, rounded towards zero.
  private static func mean(
    _ lowering: inout Lowering, _ operands: ConstantOperands
  ) throws(MartletError) -> [Tensor]? {
    let x = try operands[0]
    guard x.integers != nil, let sums = try fold(0, { $0 &+ $1 })(&lowering, operands)?.first,
      let values = sums.integers, !values.isEmpty
    else { return nil }
    let count = Int64(x.shape.count / values.count)
    guard count > 0 else { throw MartletError(.invalidShape, "a mean of no elements") }
    return [Tensor(sums.shape, values.map { $0 / count })]
  }

  private static func product(
    _ lowering: inout Lowering, _ operands: ConstantOperands
  ) throws(MartletError) -> [Tensor]? {
    guard let values = try operands[0].floats else {
      return try fold(1) { $0 &* $1 }(&lowering, operands)
    }
    guard let (axes, shape) = try axes(lowering, operands) else { return [try operands[0]] }
    try lowering.builder.charge(shape.count, reading: 2 * values.count)
    return [Tensor(shape, try folded(values, try operands[0].shape, axes, 1, *))]
  }

  /// Where along an axis the first or last element lies that no other one is before.
  private static func extreme(
    _ lowering: inout Lowering, _ operands: ConstantOperands,
    _ floats: (Float, Float) -> Bool, _ integers: (Int64, Int64) -> Bool
  ) throws(MartletError) -> [Tensor]? {
    let x = try operands[0]
    let node = operands.node
    let axis = try lowering.axis(try node.integer("axis", default: 0), rank: x.shape.rank)
    let isLast = try node.integer("select_last_index", default: 0) != 0
    guard x.shape[axis] > 0 else {
      throw MartletError(.invalidShape, "an axis without elements has no largest one")
    }
    let shape = folded(x.shape, [axis], keeps: try node.integer("keepdims", default: 1) != 0)
    try lowering.builder.charge(shape.count, reading: x.shape.count)
    let (extent, inner) = (x.shape[axis], x.shape.innerCount(after: axis))
    func places<Element>(
      _ values: [Element], _ precedes: (Element, Element) -> Bool
    ) -> [Int64] {
      (0..<shape.count).map { start in
        let base = start / inner * extent * inner + start % inner
        var best = 0
        for step in 1..<max(extent, 1) {
          let (new, old) = (values[base + step * inner], values[base + best * inner])
          if precedes(new, old) || (isLast && !precedes(old, new)) { best = step }
        }
        return Int64(best)
      }
    }
    switch x.elements {
    case .float32(let values): return [Tensor(shape, places(values, floats))]
    case .int64(let values): return [Tensor(shape, places(values, integers))]
    }
  }
}
