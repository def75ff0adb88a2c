import Foundations
import ModelGraph
import Tensors

/// The translation of one ONNX graph, operator by operator.
struct Lowering {
  var builder: GraphBuilder
  let reader: TensorReader
  private let opset: Int
  private let binding: DimensionBinding
  private var values: [String: ValueID] = [:]
  /// Computed values that are whole numbers from 0 to a bound: truth values and indices.
  var wholeNumbers: [ValueID: Int64] = [:]

  init(reader: TensorReader, opset: Int, binding: DimensionBinding) {
    self.builder = Lowering.builder(name: "")
    self.reader = reader
    self.opset = opset
    self.binding = binding
  }

  private static func builder(name: String) -> GraphBuilder {
    GraphBuilder(name: name) { operation, operands, shape throws(MartletError) in
      try ConstantEvaluation.result(of: operation, operands, shape: shape)
    }
  }

  static func isDefaultDomain(_ domain: String) -> Bool { domain.isEmpty || domain == "ai.onnx" }

  mutating func graph(_ proto: Onnx_GraphProto) throws(MartletError) -> Graph {
    builder = Lowering.builder(name: proto.name)
    let order = try NodeOrder(proto)
    try SupportCheck(proto, order, opset: opset).check()
    for input in proto.input where order.initialisers[input.name] == nil {
      values[input.name] = builder.addInput(
        name: input.name, shape: try binding.shape(of: input))
    }
    for index in order.needed {
      try lower(proto.node[index], index: index, proto, order)
    }
    for output in proto.output {
      let id = try value(output.name, proto, order)
      try builder.addOutput(id, name: output.name)
    }
    return builder.graph
  }

  /// A value by its name; initialisers become constants when they are first used.
  private mutating func value(
    _ name: String, _ proto: Onnx_GraphProto, _ order: NodeOrder
  ) throws(MartletError) -> ValueID {
    if let id = values[name] { return id }
    guard let index = order.initialisers[name] else {
      throw MartletError(
        .invalidFile, "a value is used that nothing computes", context: ["value": name])
    }
    let id = builder.add(constant: try weights(proto.initializer[index]), name: name)
    values[name] = id
    return id
  }

  private mutating func lower(
    _ node: Onnx_NodeProto, index: Int, _ proto: Onnx_GraphProto, _ order: NodeOrder
  ) throws(MartletError) {
    let name = node.name.isEmpty ? "\(node.opType)_\(index)" : node.name
    do throws(MartletError) {
      var inputs: [ValueID?] = []
      for input in node.input {
        inputs.append(input.isEmpty ? nil : try value(input, proto, order))
      }
      let used = node.output.lastIndex { order.used.contains($0) } ?? 0
      let reading = try NodeReader(
        node, name: name, opset: opset, inputs: inputs, outputCount: used + 1)
      let results = try results(of: reading)
      guard results.count > used else {
        throw MartletError(
          .unsupported, "output \(used) of the operator \(node.opType) is not supported")
      }
      for (output, result) in zip(node.output, results) where !output.isEmpty {
        values[output] = result
      }
    } catch {
      throw error.adding("node", name).adding("operator", node.opType)
    }
  }
}

// What the operators' rules are written with.
extension Lowering {
  /// A constant that the file holds.
  mutating func weights(_ proto: Onnx_TensorProto) throws(MartletError) -> Tensor {
    let tensor = try reader.tensor(proto)
    builder.allow(forWeights: tensor.shape.count)
    return tensor
  }

  /// A node's results: constants where all operands are and a rule is for those, else what its
  /// operator's rule adds.
  fileprivate mutating func results(of node: NodeReader) throws(MartletError) -> [ValueID] {
    if let rule = ConstantRules.rules[node.kind],
      let operands = ConstantOperands(node, builder.graph),
      let tensors = try rule(&self, operands)
    {
      return tensors.enumerated().map { index, tensor in
        builder.add(constant: tensor, name: index == 0 ? node.name : "\(node.name).\(index)")
      }
    }
    guard let rule = Operators.rules[node.kind] else {
      throw MartletError(
        .unsupported, "the operator \(node.kind) is not supported on operands of such types",
        context: [
          "types": node.inputs.compactMap { $0.map { "\(builder.graph[$0].elementType)" } }
            .joined(separator: ", ")
        ])
    }
    return try rule(&self, node)
  }

  func shape(_ id: ValueID) -> Shape { builder.graph[id].shape }

  /// The value of a constant operand.
  func constant(_ id: ValueID, _ what: String) throws(MartletError) -> Tensor {
    guard let tensor = builder.graph.constants[id] else {
      throw MartletError(
        .unsupported, "\(what) must be a constant", context: ["value": builder.graph[id].name])
    }
    return tensor
  }

  /// Integers of a constant operand.
  func integers(_ id: ValueID, _ what: String) throws(MartletError) -> [Int] {
    guard let values = try constant(id, what).integers else {
      throw MartletError(.invalidFile, "\(what) must be integers")
    }
    return values.map { Int($0) }
  }

  /// The one number of a constant operand.
  func scalar(_ id: ValueID, _ what: String) throws(MartletError) -> Float {
    let tensor = try constant(id, what)
    guard let value = tensor.floats?.first ?? tensor.integers?.first.map({ Float($0) }),
      tensor.shape.count == 1
    else { throw MartletError(.invalidFile, "\(what) must be one number") }
    return value
  }

  /// A position counted from the front; ONNX counts negative ones from the back.
  func axis(_ axis: Int, rank: Int) throws(MartletError) -> Int {
    guard (-rank..<rank).contains(axis) else {
      throw MartletError(
        .invalidShape, "an axis is out of range", context: ["axis": "\(axis)", "rank": "\(rank)"])
    }
    return axis < 0 ? axis + rank : axis
  }

  /// Sorted distinct positions.
  func axes(_ axes: [Int], rank: Int) throws(MartletError) -> [Int] {
    var result = Set<Int>()
    for axis in axes { result.insert(try self.axis(axis, rank: rank)) }
    guard result.count == axes.count else {
      throw MartletError(.invalidShape, "an axis is named twice", context: ["axes": "\(axes)"])
    }
    return result.sorted()
  }

  mutating func add(
    _ operation: Operation, _ inputs: [ValueID], _ node: NodeReader, _ suffix: String = "",
    shape: Shape? = nil
  ) throws(MartletError) -> ValueID {
    try builder.add(
      operation, inputs, name: suffix.isEmpty ? node.name : "\(node.name).\(suffix)", shape: shape)
  }

  mutating func reshape(
    _ id: ValueID, _ extents: [Int], _ node: NodeReader, _ suffix: String = ""
  ) throws(MartletError) -> ValueID {
    let target = try Shape(checking: extents)
    if target == shape(id) { return id }
    let result = try add(.reshape, [id], node, suffix, shape: target)
    wholeNumbers[result] = wholeNumbers[id]
    return result
  }

  mutating func constant(_ tensor: Tensor, _ node: NodeReader, _ suffix: String) -> ValueID {
    builder.add(constant: tensor, name: "\(node.name).\(suffix)")
  }
}
