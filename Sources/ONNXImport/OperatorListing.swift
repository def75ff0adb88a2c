/// An operator that can be read.
package struct SupportedOperator: Sendable, Hashable {
  /// Its name in the standard domain of ONNX.
  package let name: String
  /// The versions of the operator set in which it can be read.
  package let opsets: ClosedRange<Int>
  /// Whether it can only be read where all its operands are constants, or follow from some.
  package let isConstantOnly: Bool
  /// What of it cannot be read; nil for nothing.
  package let limits: String?
}

extension ONNXImporter {
  /// Every operator that can be read, by name: what the rules say themselves.
  package static let operators: [SupportedOperator] = {
    let names = Set(Operators.rules.keys).union(ConstantRules.rules.keys)
    return names.sorted().compactMap { name in
      let first = max(OperatorVersions.first[name] ?? 1, supportedOpsets.lowerBound)
      let last = min(
        (OperatorVersions.end[name] ?? .max) - 1, supportedOpsets.upperBound)
      guard first <= last else { return nil }
      return SupportedOperator(
        name: name, opsets: first...last, isConstantOnly: Operators.rules[name] == nil,
        limits: Operators.limits[name])
    }
  }()
}

extension Operators {
  /// What the rules refuse of operators that they read.
  static let limits: [String: String] = [
    "ArgMax": "at run time the index as a number",
    "ArgMin": "at run time the index as a number",
    "AveragePool": "over one or two dimensions",
    "BatchNormalization": "with constant statistics, not in training mode",
    "Cast":
      "at run time to floating-point types and bool, and of truth values and indices to integers; "
      + "to any type of constants",
    "Clip": "constant bounds",
    "ConstantOfShape": "constant shape",
    "Conv": "constant weights, over one or two dimensions",
    "ConvTranspose": "constant weights and bias, over one or two dimensions",
    "Dropout": "not in training mode",
    "Einsum": "letters, each once in an operand",
    "Expand": "constant shape",
    "Gather": "constant indices",
    "LayerNormalization": "its first output",
    "MaxPool": "over one or two dimensions; its first output",
    "PRelu": "constant slope",
    "Pad": "constant padding",
    "ReduceL1": "constant axes",
    "ReduceL2": "constant axes",
    "ReduceLogSum": "constant axes",
    "ReduceLogSumExp": "constant axes",
    "ReduceMax": "constant axes",
    "ReduceMean": "constant axes",
    "ReduceMin": "constant axes",
    "ReduceProd": "constant axes",
    "ReduceSum": "constant axes",
    "ReduceSumSquare": "constant axes",
    "Reshape": "constant shape",
    "Resize": "constant scales or sizes",
    "Slice": "constant bounds",
    "Split": "constant sizes",
    "Squeeze": "constant axes",
    "Tile": "constant repeats",
    "Unsqueeze": "constant axes",
    "Upsample": "constant scales",
  ]
}
