import Foundations
import ModelGraph
import Tensors

extension Operators {
  static let elementwise: [String: Rule] = [
    "Relu": activation(.relu), "Sigmoid": activation(.sigmoid), "Tanh": activation(.tanh),
    "HardSwish": activation(.hardSwish), "HardSigmoid": hardSigmoid, "LeakyRelu": leakyRelu,
    "PRelu": parametricRelu, "Clip": clip, "Gelu": gelu,
    "Erf": unary(.errorFunction), "Sqrt": unary(.squareRoot), "Exp": unary(.exponential),
    "Log": unary(.logarithm), "Neg": unary(.negate), "Abs": unary(.absolute),
    "Reciprocal": unary(.reciprocal), "Floor": unary(.floor), "Ceil": unary(.ceiling),
    "Add": folded(.add), "Sub": folded(.subtract), "Mul": folded(.multiply),
    "Div": folded(.divide), "Max": folded(.maximum), "Min": folded(.minimum),
    "Sum": folded(.add), "Mean": mean, "Pow": power,
  ]

  private static func activation(_ activation: Activation) -> Rule {
    { (lowering, node) throws(MartletError) in
      [try lowering.add(.activation(activation), [try node.input(0)], node)]
    }
  }

  private static func unary(_ function: UnaryFunction) -> Rule {
    { (lowering, node) throws(MartletError) in
      [try lowering.add(.unary(function), [try node.input(0)], node)]
    }
  }

  private static func folded(_ function: BinaryFunction) -> Rule {
    { (lowering, node) throws(MartletError) in try fold(&lowering, node, function) }
  }

  /// An operator of any number of operands as a chain over two.
  private static func fold(
    _ lowering: inout Lowering, _ node: NodeReader, _ function: BinaryFunction
  ) throws(MartletError) -> [ValueID] {
    let inputs = try node.allInputs()
    var result = inputs[0]
    for (index, id) in inputs.enumerated().dropFirst() {
      let suffix = index == inputs.count - 1 ? "" : "\(index)"
      result = try lowering.add(.binary(function), [result, id], node, suffix)
    }
    return [result]
  }

  private static func mean(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let sum = try fold(&lowering, node, .add)[0]
    let count = lowering.constant(Tensor([], [Float(node.inputs.count)]), node, "count")
    return [try lowering.add(.binary(.divide), [sum, count], node, "mean")]
  }

  private static func clip(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    var minimum = try node.float("min", default: -.infinity)
    var maximum = try node.float("max", default: .infinity)
    if let id = node.optionalInput(1) { minimum = try lowering.scalar(id, "the minimum") }
    if let id = node.optionalInput(2) { maximum = try lowering.scalar(id, "the maximum") }
    guard !minimum.isNaN, !maximum.isNaN else {
      throw MartletError(.invalidFile, "a bound of a clip is not a number")
    }
    let x = try node.input(0)
    if lowering.builder.graph[x].elementType == .int64 {
      // Shape arithmetic.
      let values = try lowering.constant(x, "an integer operand")
      return [
        lowering.constant(
          Tensor(
            values.shape,
            (values.integers ?? []).map {
              Int64(max(min(Double($0), Double(maximum)), Double(minimum)).clampedToInt64)
            }),
          node, "clipped")
      ]
    }
    let clip = Activation.clip(minimum: minimum, maximum: maximum)
    return [try lowering.add(.activation(clip), [x], node)]
  }

  private static func leakyRelu(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let slope = try node.float("alpha", default: 0.01)
    return [
      try lowering.add(.activation(.leakyRelu(slope: slope)), [try node.input(0)], node)
    ]
  }

  private static func parametricRelu(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let slope = try node.input(1)
    let slopes = try lowering.constant(slope, "the slope")
    if slopes.shape.count == 1, let value = slopes.floats?.first {
      return [try lowering.add(.activation(.leakyRelu(slope: value)), [x], node)]
    }
    // max(x, 0) + slope * min(x, 0)
    let positive = try lowering.add(.activation(.relu), [x], node, "positive")
    let negative = try lowering.add(
      .activation(.clip(minimum: -.infinity, maximum: 0)), [x], node, "negative")
    let scaled = try lowering.add(.binary(.multiply), [negative, slope], node, "scaled")
    return [try lowering.add(.binary(.add), [positive, scaled], node)]
  }

  private static func hardSigmoid(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let activation = Activation.hardSigmoid(
      slope: try node.float("alpha", default: 0.2), offset: try node.float("beta", default: 0.5))
    return [try lowering.add(.activation(activation), [try node.input(0)], node)]
  }

  private static func gelu(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    switch try node.text("approximate", default: "none") {
    case "none":
      return [try lowering.add(.activation(.gelu), [x], node)]
    case "tanh":
      // 0.5 x (1 + tanh(u)) = x sigmoid(2 u), with u = sqrt(2 / pi) (x + 0.044715 x^3). It differs
      // from the exact function by up to 5e-4, so it is not replaced by that.
      func number(_ value: Float, _ name: String) -> ValueID {
        lowering.constant(Tensor([], [value]), node, name)
      }
      let factor = 2 * (2 / Float.pi).squareRoot()
      let square = try lowering.add(.binary(.multiply), [x, x], node, "square")
      let cubic = try lowering.add(
        .binary(.multiply), [square, number(0.044715 * factor, "c3")], node, "cubic")
      let inner = try lowering.add(.binary(.add), [cubic, number(factor, "c1")], node, "inner")
      let argument = try lowering.add(.binary(.multiply), [inner, x], node, "argument")
      let gate = try lowering.add(.activation(.sigmoid), [argument], node, "gate")
      return [try lowering.add(.binary(.multiply), [x, gate], node)]
    case let other:
      throw MartletError(
        .unsupported, "this approximation is not known", context: ["approximate": other])
    }
  }

  private static func power(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let base = try node.input(0)
    let exponent = try node.input(1)
    // The exponent may be an integer while the base is not.
    let number = try floating(&lowering, exponent, node)
    if let tensor = lowering.builder.graph.constants[number], tensor.floats == [2],
      tensor.shape.rank <= lowering.shape(base).rank
    {
      return [try lowering.add(.binary(.multiply), [base, base], node)]
    }
    return [try lowering.add(.binary(.power), [base, number], node)]
  }

  /// A constant as float32.
  static func floating(
    _ lowering: inout Lowering, _ id: ValueID, _ node: NodeReader
  ) throws(MartletError) -> ValueID {
    guard let tensor = lowering.builder.graph.constants[id], let values = tensor.integers else {
      return id
    }
    try lowering.builder.charge(values.count)
    return lowering.constant(Tensor(tensor.shape, values.map { Float($0) }), node, "float")
  }
}

extension Double {
  /// Rounded towards zero into the range of Int64; not-a-number is 0.
  var clampedToInt64: Int64 {
    if isNaN { return 0 }
    if self >= 0x1p63 { return .max }
    if self <= -0x1p63 { return .min }
    return Int64(self)
  }
}
