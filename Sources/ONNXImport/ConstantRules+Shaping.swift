import Foundations
import ModelGraph
import Tensors

// Elements that are repeated or left out.
extension ConstantRules {
  static let shaping: [String: Rule] = ["Tile": tile, "Trilu": triangle]

  private static func tile(
    _ lowering: inout Lowering, _ operands: ConstantOperands
  ) throws(MartletError) -> [Tensor]? {
    let x = try operands[0]
    let repeats = try operands.integers(1, "the repeats")
    guard repeats.count == x.shape.rank, repeats.allSatisfy({ (0...1 << 32).contains($0) }) else {
      throw MartletError(
        .invalidShape, "there must be one repeat for each axis",
        context: ["operand": "\(x.shape)", "repeats": "\(repeats.prefix(16))"])
    }
    var extents: [Int] = []
    for (extent, times) in zip(x.shape.dimensions, repeats) {
      let (product, overflow) = extent.multipliedReportingOverflow(by: times)
      extents.append(overflow ? .max : product)
    }
    let shape = try Shape(checking: extents)
    try lowering.builder.charge(2 * shape.count)
    var places: [Int] = []
    places.reserveCapacity(shape.count)
    try shape.forEachIndex { index throws(MartletError) in
      places.append(x.shape.position(zip(index, x.shape.dimensions).lazy.map { $0 % $1 }))
    }
    return [x.picking(places, shape: shape)]
  }

  /// The upper or lower triangle of the last two axes, and zeros.
  private static func triangle(
    _ lowering: inout Lowering, _ operands: ConstantOperands
  ) throws(MartletError) -> [Tensor]? {
    let x = try operands[0]
    let isUpper = try operands.node.integer("upper", default: 1) != 0
    guard x.shape.rank >= 2 else {
      throw MartletError(
        .invalidShape, "the operand is no matrix", context: ["operand": "\(x.shape)"])
    }
    let limit = 1 << 40
    let diagonal = min(
      max(operands.optional(1) == nil ? 0 : try operands.integer(1, "the diagonal"), -limit), limit)
    try lowering.builder.charge(x.shape.count)
    let (height, width) = (x.shape[x.shape.rank - 2], x.shape[x.shape.rank - 1])
    func kept<Element>(_ values: [Element], _ zero: Element) -> [Element] {
      values.enumerated().map { position, value in
        let (row, column) = (position / width % height, position % width)
        let isKept = isUpper ? column - row >= diagonal : column - row <= diagonal
        return isKept ? value : zero
      }
    }
    switch x.elements {
    case .float32(let values): return [Tensor(x.shape, kept(values, 0))]
    case .int64(let values): return [Tensor(x.shape, kept(values, 0))]
    }
  }
}

extension Operators {
  /// Ones on a diagonal of a matrix of the operand's shape, whose elements do not matter.
  static func eye(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let shape = lowering.shape(x)
    guard shape.rank == 2 else {
      throw MartletError(
        .invalidShape, "the operand is no matrix", context: ["operand": "\(shape)"])
    }
    let code = try node.integer("dtype", default: 0)
    var isFloat = lowering.builder.graph[x].elementType == .float32
    if code != 0 { isFloat = try ONNXType(code: code).isFloat }
    let diagonal = try node.integer("k", default: 0)
    try lowering.builder.charge(shape.count)
    let ones = (0..<shape.count).map { $0 % shape[1] - $0 / shape[1] == diagonal }
    let tensor =
      isFloat
      ? Tensor(shape, ones.map { $0 ? 1 : 0 } as [Float])
      : Tensor(shape, ones.map { $0 ? 1 : 0 } as [Int64])
    return [lowering.builder.add(constant: tensor, name: node.name)]
  }
}
