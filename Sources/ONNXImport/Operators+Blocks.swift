import Foundations
import ModelGraph
import Tensors

// Operators that move blocks of elements.
extension Operators {
  static let blocks: [String: Rule] = [
    "DepthToSpace": depthToSpace, "SpaceToDepth": spaceToDepth, "Tile": tile,
  ]

  /// The extents of an image and the side of its blocks.
  private static func blocks(
    _ lowering: Lowering, _ node: NodeReader
  ) throws(MartletError) -> (extents: [Int], side: Int) {
    let shape = lowering.shape(try node.input(0))
    let side = try node.integer("blocksize", default: 0)
    guard shape.rank == 4 else {
      throw MartletError(.invalidShape, "the operand is no image", context: ["operand": "\(shape)"])
    }
    guard (1...1 << 16).contains(side) else {
      throw MartletError(
        .invalidFile, "the size of a block is impossible", context: ["blocksize": "\(side)"])
    }
    return (shape.dimensions, side)
  }

  private static func misfit(_ extents: [Int], _ side: Int) -> MartletError {
    MartletError(
      .invalidShape, "the blocks do not fit the operand",
      context: ["operand": "\(extents)", "blocksize": "\(side)"])
  }

  private static func depthToSpace(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let (x, side) = try blocks(lowering, node)
    guard x[1] % (side * side) == 0 else { throw misfit(x, side) }
    let depth = x[1] / (side * side)
    let apart: [Int]
    let order: [Int]
    switch try node.text("mode", default: "DCR") {
    case "DCR": (apart, order) = ([x[0], side, side, depth, x[2], x[3]], [0, 3, 4, 1, 5, 2])
    case "CRD": (apart, order) = ([x[0], depth, side, side, x[2], x[3]], [0, 1, 4, 2, 5, 3])
    case let mode:
      throw MartletError(.unsupported, "this order of blocks is not known", context: ["mode": mode])
    }
    return [
      try rearranged(
        &lowering, node, apart, order, [x[0], depth, x[2] * side, x[3] * side])
    ]
  }

  private static func spaceToDepth(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let (x, side) = try blocks(lowering, node)
    guard x[2] % side == 0, x[3] % side == 0 else { throw misfit(x, side) }
    return [
      try rearranged(
        &lowering, node, [x[0], x[1], x[2] / side, side, x[3] / side, side], [0, 3, 5, 1, 2, 4],
        [x[0], x[1] * side * side, x[2] / side, x[3] / side])
    ]
  }

  private static func rearranged(
    _ lowering: inout Lowering, _ node: NodeReader, _ apart: [Int], _ order: [Int],
    _ extents: [Int]
  ) throws(MartletError) -> ValueID {
    let blocks = try lowering.reshape(try node.input(0), apart, node, "blocks")
    let turned = try lowering.add(.transpose(permutation: order), [blocks], node, "turned")
    return try lowering.reshape(turned, extents, node)
  }

  /// The most elements of a result, and indices along an axis.
  private static let maximumTiles = (count: 1 << 28, extent: 1 << 20)

  private static func tile(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let shape = lowering.shape(x)
    let repeats = try lowering.integers(try node.input(1), "the repeats")
    guard repeats.count == shape.rank,
      repeats.allSatisfy({ (0...maximumTiles.extent).contains($0) })
    else {
      throw MartletError(
        .invalidShape, "the repeats must be a non-negative number for each axis",
        context: ["repeats": "\(repeats.prefix(16))", "operand": "\(shape)"])
    }
    var extents: [Int] = []
    for (extent, count) in zip(shape.dimensions, repeats) {
      let (product, overflow) = extent.multipliedReportingOverflow(by: count)
      extents.append(overflow ? .max : product)
    }
    let result = try Shape(checking: extents)
    guard result.count <= maximumTiles.count,
      zip(extents, repeats).allSatisfy({ $1 == 1 || $0 <= maximumTiles.extent })
    else {
      throw MartletError(
        .resourceExhausted, "an operand is repeated too often",
        context: ["operand": "\(shape)", "result": "\(result)"])
    }
    var tiled = x
    for axis in repeats.indices where repeats[axis] != 1 {
      let indices = (0..<extents[axis]).map { $0 % shape[axis] }
      tiled = try lowering.add(
        .selection(axis: axis, indices: indices), [tiled], node, "axis\(axis)")
    }
    return [tiled]
  }
}
