import Foundations
import ModelGraph
import Tensors

// Operators whose results must be known before anything runs: constants and shape arithmetic.
extension Operators {
  static let constants: [String: Rule] = [
    "Constant": constant, "ConstantOfShape": constantOfShape, "Shape": shape, "Size": size,
    "Cast": cast, "Range": range, "Where": choose, "Not": not,
    "Equal": { (lowering, node) throws(MartletError) in try compare(&lowering, node) { $0 == $1 } },
    "Less": { (lowering, node) throws(MartletError) in try compare(&lowering, node) { $0 < $1 } },
    "Greater": { (lowering, node) throws(MartletError) in
      try compare(&lowering, node) { $0 > $1 }
    },
  ]

  private static func constant(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let tensor: Tensor
    if let proto = try node.tensor("value") {
      tensor = try lowering.reader.tensor(proto)
    } else if node.has("value_float") {
      tensor = Tensor([], [try node.float("value_float", default: 0)])
    } else if node.has("value_int") {
      tensor = Tensor([], [Int64(try node.integer("value_int", default: 0))])
    } else if let values = try node.floats("value_floats") {
      tensor = Tensor([values.count], values)
    } else if let values = try node.integers("value_ints") {
      tensor = Tensor([values.count], values.map { Int64($0) })
    } else {
      throw MartletError(.unsupported, "a constant is given in a form that is not supported")
    }
    return [lowering.builder.add(constant: tensor, name: node.name)]
  }

  private static func constantOfShape(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let shape = try Shape(checking: try lowering.integers(try node.input(0), "the shape"))
    try lowering.builder.charge(shape.count)
    let value = try node.tensor("value").map { (proto) throws(MartletError) in
      try lowering.reader.tensor(proto)
    }
    let tensor =
      if let integer = value?.integers?.first {
        Tensor(shape, [Int64](repeating: integer, count: shape.count))
      } else {
        Tensor(shape, [Float](repeating: value?.floats?.first ?? 0, count: shape.count))
      }
    return [lowering.builder.add(constant: tensor, name: node.name)]
  }

  private static func shape(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let extents = lowering.shape(try node.input(0)).dimensions
    func bound(_ index: Int) -> Int {
      min(max(index < 0 ? index &+ extents.count : index, 0), extents.count)
    }
    let start = bound(try node.integer("start", default: 0))
    let end = bound(try node.integer("end", default: extents.count))
    let part = start < end ? extents[start..<end].map { Int64($0) } : []
    return [lowering.builder.add(constant: Tensor([part.count], part), name: node.name)]
  }

  private static func size(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let count = Int64(lowering.shape(try node.input(0)).count)
    return [lowering.builder.add(constant: Tensor([], [count]), name: node.name)]
  }

  private static func cast(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let code = try node.integer("to", default: 0)
    guard let type = Int32(exactly: code).flatMap(ONNXType.init(rawValue:)) else {
      throw MartletError(
        .unsupported, "a cast to a type that is not supported",
        context: ["type": "\(code)", "supported": ONNXType.list])
    }
    guard let tensor = lowering.builder.graph.constants[x] else {
      // All floating point is computed in float32.
      guard type.isFloat else {
        throw MartletError(.unsupported, "a cast to \(type) is only supported on constants")
      }
      return [x]
    }
    switch (tensor.elements, type.isFloat) {
    case (.float32, true):
      return [x]
    case (.int64, true):
      return [try floating(&lowering, x, node)]
    case (.float32(let values), false):
      try lowering.builder.charge(values.count)
      let integers: [Int64] = values.map {
        type == .bool ? ($0 == 0 ? 0 : 1) : Double($0).clampedToInt64
      }
      return [lowering.constant(Tensor(tensor.shape, integers), node, "integer")]
    case (.int64(let values), false):
      guard type == .bool else { return [x] }
      try lowering.builder.charge(values.count)
      let flags: [Int64] = values.map { $0 == 0 ? 0 : 1 }
      return [lowering.constant(Tensor(tensor.shape, flags), node, "bool")]
    }
  }

  private static func range(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let operands = try (0..<3).map { (index) throws(MartletError) in
      try lowering.constant(try node.input(index), "a bound of a range")
    }
    let isInteger = operands.allSatisfy { $0.integers != nil }
    let numbers = operands.compactMap {
      $0.integers?.first.map { Double($0) } ?? $0.floats?.first.map { Double($0) }
    }
    guard numbers.count == 3, numbers.allSatisfy(\.isFinite), numbers[2] != 0 else {
      throw MartletError(.invalidFile, "the bounds of a range are wrong")
    }
    let length = ((numbers[1] - numbers[0]) / numbers[2]).rounded(.up)
    guard length <= 0x1p24 else {
      throw MartletError(
        .resourceExhausted, "a range is too long", context: ["length": "\(length)"])
    }
    let count = max(Int(length), 0)
    try lowering.builder.charge(count)
    let values = (0..<count).map { numbers[0] + Double($0) * numbers[2] }
    let tensor =
      isInteger
      ? Tensor([count], values.map(\.clampedToInt64)) : Tensor([count], values.map { Float($0) })
    return [lowering.builder.add(constant: tensor, name: node.name)]
  }

  /// Constant operands repeated to their common shape.
  private static func aligned(
    _ lowering: inout Lowering, _ node: NodeReader, _ count: Int
  ) throws(MartletError) -> (shape: Shape, operands: [Tensor]) {
    var operands: [Tensor] = []
    var shape: Shape = []
    for index in 0..<count {
      operands.append(try lowering.constant(try node.input(index), "operand \(index)"))
      shape = try Shape.broadcast(shape, operands[index].shape)
    }
    try lowering.builder.charge(count * shape.count)
    return (shape, operands.map { $0.broadcast(to: shape) })
  }

  private static func compare(
    _ lowering: inout Lowering, _ node: NodeReader, _ holds: (Double, Double) -> Bool
  ) throws(MartletError) -> [ValueID] {
    let (shape, operands) = try aligned(&lowering, node, 2)
    let pairs = zip(operands[0].doubles, operands[1].doubles)
    let result = Tensor(shape, pairs.map { holds($0, $1) ? 1 : 0 } as [Int64])
    return [lowering.builder.add(constant: result, name: node.name)]
  }

  private static func not(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let (shape, operands) = try aligned(&lowering, node, 1)
    let result = Tensor(shape, operands[0].doubles.map { $0 == 0 ? 1 : 0 } as [Int64])
    return [lowering.builder.add(constant: result, name: node.name)]
  }

  private static func choose(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let (shape, operands) = try aligned(&lowering, node, 3)
    let condition = operands[0].doubles.map { $0 != 0 }
    func chosen<Element>(_ yes: [Element], _ no: [Element]) -> [Element] {
      condition.indices.map { condition[$0] ? yes[$0] : no[$0] }
    }
    let result: Tensor
    switch (operands[1].elements, operands[2].elements) {
    case (.float32(let yes), .float32(let no)): result = Tensor(shape, chosen(yes, no))
    case (.int64(let yes), .int64(let no)): result = Tensor(shape, chosen(yes, no))
    default: throw MartletError(.invalidFile, "the operands differ in type")
    }
    return [lowering.builder.add(constant: result, name: node.name)]
  }
}

extension Tensor {
  /// The elements as numbers of one type, for comparisons.
  fileprivate var doubles: [Double] {
    switch elements {
    case .float32(let values): values.map { Double($0) }
    case .int64(let values): values.map { Double($0) }
    }
  }
}
