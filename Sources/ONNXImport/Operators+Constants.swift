import Foundations
import ModelGraph
import Tensors

// Operators whose results must be known before anything runs: constants and shape arithmetic.
extension Operators {
  static let constants: [String: Rule] = [
    "Constant": constant, "ConstantOfShape": constantOfShape, "Shape": shape, "Size": size,
    "Cast": cast, "EyeLike": eye,
  ]

  /// Those whose results follow from the shapes of their operands, which are always known.
  static let ofShapes: Set<String> = ["Shape", "Size", "EyeLike"]

  private static func constant(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let tensor: Tensor
    if let proto = try node.tensor("value") {
      tensor = try lowering.weights(proto)
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
    let type = try ONNXType(code: try node.integer("to", default: 0))
    guard let tensor = lowering.builder.graph.constants[x] else {
      // All floating point is computed in float32, and so are whole numbers that fit.
      if type == .bool { return [try truth(&lowering, x, node)] }
      let isWhole = lowering.wholeNumbers[x].map { type.wrapped($0) == $0 } ?? false
      guard type.isFloat || isWhole else {
        throw MartletError(
          .unsupported, "a cast to \(type) is only supported on constants",
          context: ["value": lowering.builder.graph[x].name])
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
      guard type != .int64 else { return [x] }
      try lowering.builder.charge(values.count)
      return [
        lowering.constant(Tensor(tensor.shape, values.map { type.wrapped($0) }), node, "integer")
      ]
    }
  }
}
