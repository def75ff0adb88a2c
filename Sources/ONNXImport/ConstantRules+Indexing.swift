import Foundations
import ModelGraph
import Tensors

// Elements that are found by numbers of their axes.
extension ConstantRules {
  static let indexing: [String: Rule] = [
    "GatherND": gatherND, "GatherElements": gatherElements, "ScatterND": scatterND,
    "ScatterElements": scatterElements, "NonZero": nonZero, "OneHot": oneHot,
  ]

  /// An index that may be counted from the end.
  private static func place(_ index: Int64, extent: Int) throws(MartletError) -> Int {
    let extent = Int64(extent)
    guard (-extent..<extent).contains(index) else {
      throw MartletError(
        .invalidShape, "an index is out of range",
        context: ["index": "\(index)", "extent": "\(extent)"])
    }
    return Int(index < 0 ? index + extent : index)
  }

  private static func indices(_ tensor: Tensor) throws(MartletError) -> [Int64] {
    guard let values = tensor.integers else {
      throw MartletError(.invalidFile, "the indices must be integers")
    }
    return values
  }

  /// The places in `shape` that rows of indices name: each row names the first axes behind `batch`
  /// ones that it shares with them.
  private static func rows(
    _ indices: Tensor, of shape: Shape, batch: Int
  ) throws(MartletError) -> (places: [Int], depth: Int) {
    let values = try self.indices(indices)
    let depth = indices.shape.dimensions.last ?? 0
    guard indices.shape.rank > batch, batch >= 0, batch < max(shape.rank, 1),
      (1...max(shape.rank - batch, 1)).contains(depth), batch + depth <= shape.rank,
      indices.shape.dimensions.prefix(batch) == shape.dimensions.prefix(batch)
    else {
      throw MartletError(
        .invalidShape, "the indices do not fit the operand",
        context: ["operand": "\(shape)", "indices": "\(indices.shape)", "batch": "\(batch)"])
    }
    let count = indices.shape.count / depth
    let perBatch = max(
      1, indices.shape.dimensions[batch..<(indices.shape.rank - 1)].reduce(1, *))
    var places: [Int] = []
    places.reserveCapacity(count)
    for row in 0..<count {
      var place = row / perBatch
      for axis in 0..<depth {
        let extent = shape[batch + axis]
        place = place * extent + (try self.place(values[row * depth + axis], extent: extent))
      }
      places.append(place)
    }
    return (places, depth)
  }

  private static func gatherND(
    _ lowering: inout Lowering, _ operands: ConstantOperands
  ) throws(MartletError) -> [Tensor]? {
    let (x, indices) = (try operands[0], try operands[1])
    let batch = try operands.node.integer("batch_dims", default: 0)
    try lowering.builder.charge(indices.shape.count)
    let (places, depth) = try rows(indices, of: x.shape, batch: batch)
    let tail = x.shape.dimensions.dropFirst(batch + depth)
    let shape = try Shape(checking: indices.shape.dimensions.dropLast() + tail)
    try lowering.builder.charge(2 * shape.count)
    let run = tail.reduce(1, *)
    return [
      x.picking(places.flatMap { ($0 * run)..<($0 * run + run) }, shape: shape)
    ]
  }

  /// The places in `shape` of indices along an axis, one for each element of the indices.
  private static func elements(
    _ lowering: inout Lowering, _ indices: Tensor, of shape: Shape, _ node: NodeReader
  ) throws(MartletError) -> [Int] {
    let axis = try lowering.axis(try node.integer("axis", default: 0), rank: shape.rank)
    guard indices.shape.rank == shape.rank, shape.rank > 0,
      shape.dimensions.indices.allSatisfy({ $0 == axis || indices.shape[$0] <= shape[$0] })
    else {
      throw MartletError(
        .invalidShape, "the indices do not fit the operand",
        context: ["operand": "\(shape)", "indices": "\(indices.shape)"])
    }
    try lowering.builder.charge(2 * indices.shape.count)
    let values = try self.indices(indices)
    var places: [Int] = []
    places.reserveCapacity(values.count)
    try indices.shape.forEachIndex { index throws(MartletError) in
      var index = index
      index[axis] = try place(values[places.count], extent: shape[axis])
      places.append(shape.position(index))
    }
    return places
  }

  private static func gatherElements(
    _ lowering: inout Lowering, _ operands: ConstantOperands
  ) throws(MartletError) -> [Tensor]? {
    let (x, indices) = (try operands[0], try operands[1])
    let places = try elements(&lowering, indices, of: x.shape, operands.node)
    return [x.picking(places, shape: indices.shape)]
  }

  private static func scatterND(
    _ lowering: inout Lowering, _ operands: ConstantOperands
  ) throws(MartletError) -> [Tensor]? {
    let (x, indices, updates) = (try operands[0], try operands[1], try operands[2])
    try lowering.builder.charge(indices.shape.count)
    let (places, depth) = try rows(indices, of: x.shape, batch: 0)
    let run = x.shape.dimensions.dropFirst(depth).reduce(1, *)
    guard
      updates.shape.dimensions
        == indices.shape.dimensions.dropLast() + x.shape.dimensions.dropFirst(depth)
    else { throw mismatch(x, updates) }
    try lowering.builder.charge(x.shape.count + updates.shape.count)
    return try scatter(
      x, updates, at: places.flatMap { ($0 * run)..<($0 * run + run) }, operands.node)
  }

  private static func scatterElements(
    _ lowering: inout Lowering, _ operands: ConstantOperands
  ) throws(MartletError) -> [Tensor]? {
    let (x, indices, updates) = (try operands[0], try operands[1], try operands[2])
    guard updates.shape == indices.shape else { throw mismatch(x, updates) }
    let places = try elements(&lowering, indices, of: x.shape, operands.node)
    try lowering.builder.charge(x.shape.count)
    return try scatter(x, updates, at: places, operands.node)
  }

  private static func mismatch(_ x: Tensor, _ updates: Tensor) -> MartletError {
    MartletError(
      .invalidShape, "the updates do not fit the operand and the indices",
      context: ["operand": "\(x.shape)", "updates": "\(updates.shape)"])
  }

  private static func scatter(
    _ x: Tensor, _ updates: Tensor, at places: [Int], _ node: NodeReader
  ) throws(MartletError) -> [Tensor]? {
    let reduction = try node.text("reduction", default: "none")
    guard ["none", "add", "mul", "max", "min"].contains(reduction) else {
      throw MartletError(
        .unsupported, "this reduction is not known", context: ["reduction": reduction])
    }
    func scattered<Element: Comparable>(
      _ values: [Element], _ updates: [Element], _ add: (Element, Element) -> Element,
      _ multiply: (Element, Element) -> Element
    ) -> [Element] {
      var result = values
      for (place, update) in zip(places, updates) {
        result[place] =
          switch reduction {
          case "add": add(result[place], update)
          case "mul": multiply(result[place], update)
          case "max": max(result[place], update)
          case "min": min(result[place], update)
          default: update
          }
      }
      return result
    }
    switch (x.elements, updates.elements) {
    case (.float32(let values), .float32(let updates)):
      return [Tensor(x.shape, scattered(values, updates, +, *))]
    case (.int64(let values), .int64(let updates)):
      return [Tensor(x.shape, scattered(values, updates, &+, &*))]
    default: throw mixed
    }
  }

  /// The indices of all elements but 0: one row for each axis; a scalar counts as a list.
  private static func nonZero(
    _ lowering: inout Lowering, _ operands: ConstantOperands
  ) throws(MartletError) -> [Tensor]? {
    let x = try operands[0]
    try lowering.builder.charge(x.shape.count)
    let places = x.truths.enumerated().filter(\.element).map(\.offset)
    let source = x.shape.rank == 0 ? [1] : x.shape
    let shape = try Shape(checking: [source.rank, places.count])
    try lowering.builder.charge(shape.count)
    let values = zip(source.strides, source.dimensions).flatMap { stride, extent in
      places.map { Int64($0 / stride % extent) }
    }
    return [Tensor(shape, values)]
  }

  /// A new axis in which each index is a one among zeros, or other two values.
  private static func oneHot(
    _ lowering: inout Lowering, _ operands: ConstantOperands
  ) throws(MartletError) -> [Tensor]? {
    let indices = try operands[0]
    let values = try operands[2]
    guard let depth = Int64(exactly: try operands.integer(1, "the depth")),
      (0...1 << 24).contains(depth), values.shape.count == 2
    else { throw MartletError(.invalidFile, "the depth or the values are wrong") }
    let rank = indices.shape.rank + 1
    let axis = try lowering.axis(try operands.node.integer("axis", default: -1), rank: rank)
    var extents = indices.shape.dimensions
    extents.insert(Int(depth), at: axis)
    let shape = try Shape(checking: extents)
    try lowering.builder.charge(2 * shape.count)
    let numbers = indices.integers ?? (indices.floats ?? []).map { Double($0).clampedToInt64 }
    let inner = shape.innerCount(after: axis)
    let places = (0..<shape.count).map { position -> Int in
      let index = numbers[position / (inner * Int(depth)) * inner + position % inner]
      let wanted = index < 0 ? index &+ depth : index
      return Int64(position / inner) % depth == wanted ? 1 : 0
    }
    return [values.picking(places, shape: shape)]
  }
}
