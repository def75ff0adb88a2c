import Foundations
import Tensors

extension Graph {
  /// Finds activation functions that an exporter wrote as several operators.
  ///
  /// Only functions that are equal up to rounding are replaced: the tanh approximation of GELU is
  /// another function than GELU and stays as it is.
  func withRecognisedActivations() throws(MartletError) -> Graph {
    try rewritten { (rewriter, node) in
      switch node.operation {
      case .binary(.multiply), .binary(.divide): break
      default: return false
      }
      let product = rewriter.product(of: node)
      guard let found = rewriter.activation(product) else { return false }
      rewriter.emit(node.replacing(.activation(found.activation), inputs: [found.operand]))
      return true
    }
  }
}

/// A number times a few values.
private struct Product {
  var factor: Float = 1
  var values: [ValueID] = []
}

extension Rewriter {
  /// A value as a product: looks through multiplications, and divisions by one number.
  fileprivate func product(of node: Node) -> Product {
    var result = Product()
    var open: [(node: Node, depth: Int)] = [(node, 0)]
    func visit(_ id: ValueID, _ depth: Int) {
      if let number = number(id) {
        result.factor *= number
      } else if depth < 3, let inner = definition(id), isProduct(inner) {
        open.append((inner, depth + 1))
      } else {
        result.values.append(id)
      }
    }
    while let (node, depth) = open.popLast() {
      if case .binary(.divide) = node.operation, let divisor = number(node.inputs[1]) {
        result.factor /= divisor
        visit(node.inputs[0], depth)
      } else if case .binary(.multiply) = node.operation {
        for id in node.inputs { visit(id, depth) }
      } else {
        result.values.append(node.output)
      }
    }
    return result
  }

  private func isProduct(_ node: Node) -> Bool {
    switch node.operation {
    case .binary(.multiply): true
    case .binary(.divide): number(node.inputs[1]) != nil
    default: false
    }
  }

  /// The value of a constant that holds one number.
  func number(_ id: ValueID) -> Float? {
    guard let tensor = constant(id), tensor.shape.count == 1 else { return nil }
    return tensor.floats?.first
  }

  /// The operands of a sum of a value and one number.
  private func sum(_ id: ValueID) -> (value: ValueID, number: Float)? {
    guard let node = definition(id), case .binary(.add) = node.operation else { return nil }
    if let right = number(node.inputs[1]) { return (node.inputs[0], right) }
    if let left = number(node.inputs[0]) { return (node.inputs[1], left) }
    return nil
  }

  fileprivate func activation(_ product: Product) -> (activation: Activation, operand: ValueID)? {
    if product.values.count == 1, let gate = hardGate(product.values[0], product.factor) {
      return (.hardSigmoid(slope: 1 / 6, offset: 0.5), gate)
    }
    guard product.values.count == 2 else { return nil }
    for (x, other) in [
      (product.values[0], product.values[1]), (product.values[1], product.values[0]),
    ] {
      if isNear(product.factor, 1), let gate = definition(other), gate.inputs == [x] {
        switch gate.operation {
        case .activation(.sigmoid):
          return (.silu, x)
        case .activation(.hardSigmoid(let slope, let offset))
        where isNear(slope, 1 / 6) && isNear(offset, 0.5):
          return (.hardSwish, x)
        default: break
        }
      }
      if let gate = hardGate(other, product.factor), gate == x { return (.hardSwish, x) }
      if isNear(product.factor, 0.5), isErrorGate(other, of: x) { return (.gelu, x) }
    }
    return nil
  }

  /// The x of clip(x + 3, 0, 6) when the factor is a sixth.
  private func hardGate(_ id: ValueID, _ factor: Float) -> ValueID? {
    guard isNear(factor, 1 / 6), let clip = definition(id),
      case .activation(.clip(minimum: 0, maximum: 6)) = clip.operation,
      let inner = sum(clip.inputs[0]), inner.number == 3
    else { return nil }
    return inner.value
  }

  /// Whether a value is 1 + erf(x / sqrt 2).
  private func isErrorGate(_ id: ValueID, of x: ValueID) -> Bool {
    guard let outer = sum(id), isNear(outer.number, 1), let erf = definition(outer.value),
      case .unary(.errorFunction) = erf.operation, let inner = definition(erf.inputs[0])
    else { return false }
    let argument = product(of: inner)
    return argument.values == [x] && isNear(argument.factor, Float(0.5).squareRoot())
  }

  private func isNear(_ a: Float, _ b: Float) -> Bool { abs(a - b) <= 1e-5 * abs(b) }
}
