import Foundations
import ModelGraph
import Tensors

extension Operators {
  static let normalisations: [String: Rule] = [
    "BatchNormalization": batchNormalisation,
    "LayerNormalization": layerNormalisation,
    "Softmax": { (lowering, node) throws(MartletError) in
      try softmax(&lowering, node, logarithmic: false)
    },
    "LogSoftmax": { (lowering, node) throws(MartletError) in
      try softmax(&lowering, node, logarithmic: true)
    },
    "ReduceMean": { (lowering, node) throws(MartletError) in try reduce(&lowering, node, .mean) },
    "ReduceSum": { (lowering, node) throws(MartletError) in try reduce(&lowering, node, .sum) },
    "ReduceMax": { (lowering, node) throws(MartletError) in try reduce(&lowering, node, .maximum) },
    "ReduceMin": { (lowering, node) throws(MartletError) in try reduce(&lowering, node, .minimum) },
  ]

  static func batchNormalisation(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    guard try node.integer("training_mode", default: 0) == 0,
      try node.integer("spatial", default: 1) != 0
    else {
      throw MartletError(
        .unsupported, "batch normalisation is only supported with fixed statistics per channel",
        hint: "export the model in evaluation mode")
    }
    let epsilon = Double(try node.float("epsilon", default: 1e-5))
    let x = try node.input(0)
    var parameters: [[Float]] = []
    for (index, what) in ["scale", "bias", "mean", "variance"].enumerated() {
      let tensor = try lowering.constant(try node.input(index + 1), "the \(what)")
      guard let values = tensor.floats, tensor.shape.rank == 1,
        values.count == parameters.first?.count ?? values.count
      else {
        throw MartletError(
          .invalidShape, "the \(what) must be one number per channel",
          context: ["shape": "\(tensor.shape)"])
      }
      parameters.append(values)
    }
    var scale: [Float] = []
    var shift: [Float] = []
    for channel in parameters[0].indices {
      let factor =
        Double(parameters[0][channel]) / (Double(parameters[3][channel]) + epsilon).squareRoot()
      scale.append(Float(factor))
      shift.append(Float(Double(parameters[1][channel]) - Double(parameters[2][channel]) * factor))
    }
    let operands = [
      x, lowering.constant(Tensor([scale.count], scale), node, "scale"),
      lowering.constant(Tensor([shift.count], shift), node, "shift"),
    ]
    return [try lowering.add(.channelAffine, operands, node)]
  }

  static func layerNormalisation(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let shape = lowering.shape(x)
    let first = try lowering.axis(try node.integer("axis", default: -1), rank: shape.rank)
    let normalised = Array(shape.dimensions[first...])
    var inputs = [x]
    for index in 1...2 {
      guard let id = node.optionalInput(index) else { continue }
      var parameter = id
      if lowering.shape(id).dimensions != normalised {
        // ONNX lets scale and shift broadcast.
        let target = try Shape.broadcast(lowering.shape(id), Shape(normalised))
        guard target.dimensions == normalised else {
          throw MartletError(.invalidShape, "scale or shift does not fit the normalised axes")
        }
        let zeros = lowering.constant(
          Tensor(target, [Float](repeating: 0, count: target.count)), node, "zeros")
        parameter = try lowering.add(.binary(.add), [id, zeros], node, "parameter")
      }
      inputs.append(parameter)
    }
    let normalisation = LayerNormalization(
      axes: Array(first..<shape.rank), epsilon: try node.float("epsilon", default: 1e-5))
    return [try lowering.add(.layerNormalization(normalisation), inputs, node)]
  }

  static func softmax(
    _ lowering: inout Lowering, _ node: NodeReader, logarithmic: Bool
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let shape = lowering.shape(x)
    let isOld = node.opset < 13
    let axis = try lowering.axis(
      try node.integer("axis", default: isOld ? 1 : -1), rank: shape.rank)
    guard isOld, axis != shape.rank - 1 else {
      return [try lowering.add(.softmax(axis: axis, logarithmic: logarithmic), [x], node)]
    }
    // Before version 13 the operand counts as a matrix that is split at the axis.
    let rows = shape.outerCount(before: axis)
    let columns = shape.dimensions[axis...].reduce(1, *)
    let matrix = try lowering.reshape(x, [rows, columns], node, "matrix")
    let result = try lowering.add(.softmax(axis: 1, logarithmic: logarithmic), [matrix], node)
    return [try lowering.reshape(result, shape.dimensions, node, "shape")]
  }

  static func reduce(
    _ lowering: inout Lowering, _ node: NodeReader, _ kind: Reduction.Kind
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let shape = lowering.shape(x)
    var axes = try node.integers("axes")
    if let id = node.optionalInput(1) { axes = try lowering.integers(id, "the axes") }
    if axes?.isEmpty ?? true, try node.integer("noop_with_empty_axes", default: 0) != 0 {
      return [x]
    }
    let chosen =
      try axes.map { (axes) throws(MartletError) in
        axes.isEmpty ? Array(0..<shape.rank) : try lowering.axes(axes, rank: shape.rank)
      } ?? Array(0..<shape.rank)
    let keeps = try node.integer("keepdims", default: 1) != 0
    let extents = shape.dimensions.indices.compactMap { axis in
      chosen.contains(axis) ? (keeps ? 1 : nil) : shape[axis]
    }
    return [
      try lowering.add(
        .reduction(Reduction(kind: kind, axes: chosen)), [x], node, shape: Shape(extents))
    ]
  }
}
