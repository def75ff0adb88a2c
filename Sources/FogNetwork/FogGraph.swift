package import Foundations
package import ModelGraph
package import Tensors

/// Model graphs of a design: of one unit, for training and evaluation, or of the whole network, to be
/// planned and run like any other model.
extension FogDesign {
  /// One unit as a graph: its summed input `[batch] + unit.input`, its output, and its weights and
  /// biases as constants that carry their names in a model file.
  ///
  /// - Throws: `notFound` or `invalidShape` for weights that are missing or do not fit.
  package static func graph(
    of unit: FogUnit, batch: Int, weights: [String: Tensor]
  ) throws(MartletError) -> Graph {
    var builder = GraphBuilder(name: unit.name)
    let input = builder.addInput(
      name: "input", shape: Shape([batch] + unit.input.dimensions))
    let output = try append(unit, input: input, batch: batch, weights: weights, to: &builder)
    try builder.addOutput(output, name: "output")
    return builder.graph
  }

  /// The whole network with nobody missing: one input `[1, sampleCount]`, the classes' logits as
  /// output. A hyperconnection is a slice, padding, a factor and an addition.
  ///
  /// - Throws: like `graph(of:batch:weights:)`.
  package func graph(weights: [String: Tensor]) throws(MartletError) -> Graph {
    var builder = GraphBuilder(name: topology.name)
    let sample = builder.addInput(name: "sample", shape: [1, sampleCount])
    var outputs: [ValueID] = []
    for unit in units {
      var sum: ValueID?
      for (index, arrival) in unit.arrivals.enumerated() {
        let name = "\(unit.name).arrival\(index)"
        var value: ValueID
        switch arrival.origin {
        case .source(let number):
          let source = topology.sources[number]
          value = try builder.add(
            .slice([
              SliceRange(start: 0, count: 1), SliceRange(start: source.first, count: arrival.count),
            ]), [sample], name: name + ".slice")
          value = try builder.add(
            .reshape, [value], name: name, shape: Shape([1] + source.shape))
        case .unit(let number): value = outputs[number]
        }
        value = try adapt(value, arrival, to: unit, name: name, &builder)
        if let before = sum {
          sum = try builder.add(.binary(.add), [before, value], name: "\(unit.name).sum\(index)")
        } else {
          sum = value
        }
      }
      guard let sum else { continue }
      outputs.append(
        try FogDesign.append(unit, input: sum, batch: 1, weights: weights, to: &builder))
    }
    try builder.addOutput(outputs[outputs.count - 1], name: "logits")
    return builder.graph
  }

  /// Zero padding to the unit's input and the hyperconnection's weight.
  private func adapt(
    _ value: ValueID, _ arrival: FogUnit.Arrival, to unit: FogUnit, name: String,
    _ builder: inout GraphBuilder
  ) throws(MartletError) -> ValueID {
    var value = value
    let shape = builder.graph[value].shape
    if arrival.count < unit.input.count {
      // The widths differ in channels only: see `FogDesign.init`.
      var after = [Int](repeating: 0, count: shape.rank)
      after[1] = unit.input[0] - shape[1]
      value = try builder.add(
        .pad(before: after.map { _ in 0 }, after: after, value: 0), [value], name: name + ".pad")
    }
    if arrival.weight != 1 {
      let factor = builder.add(
        constant: Tensor([1], [Float(arrival.weight)]), name: name + ".weight")
      value = try builder.add(.binary(.multiply), [value, factor], name: name + ".weighted")
    }
    return value
  }

  /// Adds a unit's layers to a graph and returns their output.
  private static func append(
    _ unit: FogUnit, input: ValueID, batch: Int, weights: [String: Tensor],
    to builder: inout GraphBuilder
  ) throws(MartletError) -> ValueID {
    func constant(_ name: String, _ shape: Shape) throws(MartletError) -> Tensor {
      guard let tensor = weights[name] else {
        throw MartletError(.notFound, "a weight is missing", context: ["tensor": name])
      }
      guard tensor.shape == shape, tensor.floats != nil else {
        throw MartletError(
          .invalidShape, "a weight does not fit the topology",
          context: ["tensor": name, "expected": "\(shape)", "found": "\(tensor.shape)"])
      }
      return tensor
    }
    var value = input
    for (index, layer) in unit.layers.enumerated() {
      let name = "\(unit.name).\(index)"
      var operands = [value]
      if layer.kind.kind == .dense, layer.input.rank > 1 {
        operands[0] = try builder.add(
          .reshape, [value], name: name + ".flat", shape: [batch, layer.input.count])
      }
      if let weightName = layer.weights, let shape = layer.kind.weights(layer.input)?.shape {
        operands.append(
          builder.add(constant: try constant(weightName, shape), name: weightName))
      }
      if let biasName = layer.bias {
        operands.append(
          builder.add(constant: try constant(biasName, [layer.output[0]]), name: biasName))
      }
      value = try builder.add(
        layer.operation, operands, name: name, shape: Shape([batch] + layer.output.dimensions))
    }
    return value
  }
}

extension FogUnit.Layer {
  /// What the graph computes for it.
  fileprivate var operation: ModelGraph.Operation {
    let activation: Activation? = kind.activation == .relu ? .relu : nil
    let margin = kind.kernel / 2
    switch kind.kind {
    case .dense: return .dense(Dense(activation: activation))
    case .convolution, .depthwise:
      return .convolution(
        Convolution(
          kernel: Pair(kind.kernel, kind.kernel), strides: Pair(kind.stride, kind.stride),
          padding: Padding(margin, margin, margin, margin),
          groups: kind.kind == .depthwise ? input[0] : 1, activation: activation))
    case .pool:
      return .pooling(
        Pooling(
          kind: .maximum, kernel: Pair(kind.kernel, kind.kernel),
          strides: Pair(kind.kernel, kind.kernel)))
    case .average: return .reduction(Reduction(kind: .mean, axes: [2, 3]))
    }
  }
}
