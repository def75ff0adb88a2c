public import ModelGraph
public import TensorCore

extension Graph {
  /// The same graph for several independent inputs at once: axis 0 of everything that is computed
  /// becomes `count`. Values and nodes keep their numbers.
  ///
  /// Works on the imported graph rather than on the file, because a file may fix its batch at 1.
  ///
  /// - Throws: `unsupported`, naming the node, where axis 0 is not an axis of separate inputs.
  public func batched(_ count: Int) throws(MartletError) -> Graph {
    precondition(count > 0, "a batch has at least one input")
    if count == 1 { return self }
    var result = self
    var isBatched = [Bool](repeating: false, count: values.count)
    func widen(_ id: ValueID) throws(MartletError) {
      guard self[id].shape.rank > 0, self[id].shape[0] == 1 else {
        throw MartletError(
          .unsupported, "the first axis is not a batch of one",
          context: ["value": self[id].name, "shape": "\(self[id].shape)"])
      }
      isBatched[id.index] = true
      result[id].shape = self[id].shape.replacing(axis: 0, with: count)
    }
    for input in inputs { try widen(input) }
    for (index, node) in nodes.enumerated() {
      let operands = node.inputs.map { (shape: self[$0].shape, isBatched: isBatched[$0.index]) }
      guard operands.contains(where: \.isBatched) else { continue }
      guard node.operation.keepsBatch(operands, output: self[node.output].shape) else {
        throw MartletError(
          .unsupported, "a node mixes the inputs of a batch",
          context: ["node": node.name, "operation": node.operation.kind])
      }
      if case .slice(var ranges) = node.operation {
        ranges[0] = SliceRange(start: 0, count: count)
        result.nodes[index].operation = .slice(ranges)
      }
      try widen(node.output)
    }
    for output in outputs where !isBatched[output.index] {
      throw MartletError(
        .unsupported, "an output does not depend on the input",
        context: ["output": self[output].name])
    }
    try result.validate()
    return result
  }
}

extension Operation {
  /// Whether the entries along axis 0 of the batched operands, of extent 1 now, stay apart and in
  /// order along axis 0 of the result.
  fileprivate func keepsBatch(
    _ operands: [(shape: Shape, isBatched: Bool)], output: Shape
  ) -> Bool {
    let isFirstOnly = operands.indices.allSatisfy { operands[$0].isBatched == ($0 == 0) }
    switch self {
    case .convolution, .channelAffine:
      return isFirstOnly
    case .dense:
      return isFirstOnly && output.rank >= 2
    case .pooling, .activation, .unary, .reshape:
      return true
    case .layerNormalization(let attributes):
      return isFirstOnly && !attributes.axes.contains(0)
    case .binary:
      // A batched operand of lower rank would have its batch along another axis of the result.
      return operands.allSatisfy { !$0.isBatched || $0.shape.rank == output.rank }
    case .matMul:
      return operands.enumerated().allSatisfy { index, operand in
        guard operand.isBatched else { return true }
        // The rows of a plain matrix on the left are inputs, too.
        return operand.shape.rank == output.rank && (output.rank > 2 || index == 0)
      }
    case .softmax(let axis, _): return axis != 0
    case .concatenation(let axis): return axis != 0 && operands.allSatisfy(\.isBatched)
    case .transpose(let permutation): return permutation.first == 0
    case .slice(let ranges): return ranges.first.map { $0.start == 0 && $0.count == 1 } ?? false
    case .pad(let before, let after, _): return before.first == 0 && after.first == 0
    case .reduction(let attributes): return !attributes.axes.contains(0)
    case .selection(let axis, _): return axis != 0
    case .combination(let attributes): return attributes.axis != 0
    case .exchange: return false
    }
  }
}
