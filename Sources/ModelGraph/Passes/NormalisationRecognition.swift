import Foundations
import Tensors

extension Graph {
  /// Finds layer normalisations that were exported as arithmetic, and takes a scale and a shift that
  /// follow into them.
  func withRecognisedLayerNormalisation() throws(MartletError) -> Graph {
    try rewritten { (rewriter, node) in
      switch node.operation {
      case .binary(.divide), .binary(.multiply):
        if let found = rewriter.normalisation(node) {
          rewriter.emit(
            node.replacing(.layerNormalization(found.normalisation), inputs: [found.operand]))
          return true
        }
        return rewriter.absorb(node)
      case .binary(.add):
        return rewriter.absorb(node)
      default:
        return false
      }
    }
  }
}

extension Rewriter {
  /// (x - mean) / sqrt(mean((x - mean)^2) + epsilon), also as a product with the reciprocal.
  fileprivate func normalisation(
    _ node: Node
  ) -> (normalisation: LayerNormalization, operand: ValueID)? {
    guard node.inputs.count == 2 else { return nil }
    if case .binary(.divide) = node.operation {
      return normalisation(centred: node.inputs[0], deviation: node.inputs[1])
    }
    for (centred, other) in [(0, 1), (1, 0)] {
      if let inverse = definition(node.inputs[other]),
        case .unary(.reciprocal) = inverse.operation,
        let found = normalisation(centred: node.inputs[centred], deviation: inverse.inputs[0])
      {
        return found
      }
    }
    return nil
  }

  private func normalisation(
    centred: ValueID, deviation: ValueID
  ) -> (normalisation: LayerNormalization, operand: ValueID)? {
    guard let difference = definition(centred), case .binary(.subtract) = difference.operation,
      let mean = definition(difference.inputs[1]), mean.inputs == [difference.inputs[0]],
      case .reduction(let meaning) = mean.operation, meaning.kind == .mean,
      shape(mean.output).rank == shape(difference.inputs[0]).rank,
      let root = definition(deviation), case .unary(.squareRoot) = root.operation,
      let sum = definition(root.inputs[0]), case .binary(.add) = sum.operation,
      let epsilon = number(sum.inputs[1]) ?? number(sum.inputs[0]),
      let variance = definition(number(sum.inputs[1]) != nil ? sum.inputs[0] : sum.inputs[1]),
      case .reduction(meaning) = variance.operation,
      shape(variance.output) == shape(mean.output),
      isSquare(variance.inputs[0], of: centred)
    else { return nil }
    let rank = shape(centred).rank
    guard let first = meaning.axes.first, meaning.axes == Array(first..<rank) else { return nil }
    return (
      LayerNormalization(axes: meaning.axes, epsilon: epsilon), difference.inputs[0]
    )
  }

  private func isSquare(_ id: ValueID, of x: ValueID) -> Bool {
    guard let node = definition(id) else { return false }
    switch node.operation {
    case .binary(.multiply): return node.inputs == [x, x]
    case .binary(.power): return node.inputs[0] == x && number(node.inputs[1]) == 2
    default: return false
    }
  }

  /// Takes a constant that follows a normalisation into it, as scale or shift.
  fileprivate mutating func absorb(_ node: Node) -> Bool {
    for (position, other) in [(0, 1), (1, 0)] {
      guard let before = soleDefinition(node.inputs[position]),
        case .layerNormalization(let normalisation) = before.operation,
        let tensor = constant(node.inputs[other]),
        shape(node.output) == shape(before.output)
      else { continue }
      let extents = Shape(normalisation.axes.map { shape(before.output)[$0] })
      // The axes are the last ones here, so leading axes of extent 1 do not matter.
      guard tensor.shape.count == extents.count,
        normalisation.axes.last == shape(before.output).rank - 1,
        Array(tensor.shape.dimensions.suffix(extents.rank)) == extents.dimensions
      else { continue }
      var inputs = before.inputs
      switch (node.operation, inputs.count) {
      case (.binary(.multiply), 1), (.binary(.add), 2): break
      case (.binary(.add), 1):
        inputs.append(
          add(
            constant: Tensor(extents, [Float](repeating: 1, count: extents.count)),
            name: "\(before.name).scale"))
      default: continue
      }
      inputs.append(
        add(constant: tensor.reshaped(extents), name: "\(before.name).parameter\(inputs.count)"))
      emit(
        Node(
          name: before.name, operation: before.operation, inputs: inputs, output: node.output))
      return true
    }
    return false
  }
}
