package import Foundations
package import Tensors

extension Operation {
  /// The shape of this operation's result.
  ///
  /// - Parameters:
  ///   - inputs: The shapes of the operands, in the order that the operation documents.
  ///   - declared: The shape that the result is said to have. A reshape needs it; pooling (floor or
  ///     ceiling mode) and reductions (axes kept or removed) accept either form; for all others it
  ///     only has to agree.
  /// - Throws: `.invalidShape` when the operands do not fit the operation, each other or `declared`.
  package func outputShape(
    inputs: [Shape], declared: Shape?
  ) throws(MartletError) -> Shape {
    try checkOperandCount(inputs.count)
    let shape = try inferred(inputs: inputs, declared: declared)
    if let declared, declared != shape {
      throw mismatch("the result has another shape than declared", inputs + [shape, declared])
    }
    return shape
  }

  /// `kind`, or the function where that says more: `relu`, `multiply`, `maximumPooling`.
  package var kindName: String {
    switch self {
    case .pooling(let pooling): "\(pooling.kind.rawValue)Pooling"
    case .activation(let activation): activation.kind
    case .unary(let function): function.rawValue
    case .binary(let function): function.rawValue
    case .softmax(_, logarithmic: true): "logSoftmax"
    case .reduction(let reduction): "\(reduction.kind.rawValue)Reduction"
    default: kind
    }
  }

  private func checkOperandCount(_ count: Int) throws(MartletError) {
    let allowed: ClosedRange<Int> =
      switch self {
      case .convolution, .dense: 2...3
      case .matMul, .binary: 2...2
      case .channelAffine: 3...3
      case .layerNormalization: 1...3
      case .concatenation: 1...Int.max
      default: 1...1
      }
    guard allowed.contains(count) else {
      throw MartletError(
        .invalidShape, "an operation has a wrong number of operands",
        context: ["operation": kindName, "operands": "\(count)"])
    }
  }

  func mismatch(_ message: String, _ shapes: [Shape]) -> MartletError {
    MartletError(
      .invalidShape, message,
      context: [
        "operation": kindName,
        "shapes": shapes.prefix(8).map(\.description).joined(separator: ", "),
      ])
  }

  private func inferred(inputs: [Shape], declared: Shape?) throws(MartletError) -> Shape {
    let x = inputs[0]
    switch self {
    case .convolution(let convolution):
      return try convolution.outputShape(inputs, of: self)
    case .dense:
      return try denseShape(inputs)
    case .matMul:
      return try matMulShape(x, inputs[1])
    case .pooling(let pooling):
      return try pooling.outputShape(x, declared: declared, of: self)
    case .activation, .unary:
      return x
    case .binary:
      return try Shape.broadcast(x, inputs[1])
    case .channelAffine:
      guard x.rank >= 2, inputs[1] == [x[1]], inputs[2] == [x[1]] else {
        throw mismatch("scale and shift do not have one entry per channel", inputs)
      }
      return x
    case .layerNormalization(let normalization):
      try checkAxes(normalization.axes, of: x)
      let parameters = Shape(normalization.axes.map { x[$0] })
      guard inputs.dropFirst().allSatisfy({ $0 == parameters }) else {
        throw mismatch("scale or shift does not fit the normalised axes", inputs)
      }
      return x
    case .softmax(let axis, _):
      try checkAxes([axis], of: x)
      return x
    case .concatenation(let axis):
      return try concatenationShape(inputs, axis: axis)
    case .transpose(let permutation):
      guard permutation.sorted() == Array(0..<x.rank) else {
        throw mismatch("the permutation \(permutation) does not fit the operand", inputs)
      }
      return Shape(permutation.map { x[$0] })
    case .reshape:
      guard let declared, declared.count == x.count else {
        throw mismatch(
          "a reshape changes the number of elements", inputs + (declared.map { [$0] } ?? []))
      }
      return declared
    case .slice(let ranges):
      return try sliceShape(x, ranges)
    case .pad(let before, let after, _):
      return try padShape(x, before, after)
    case .reduction(let reduction):
      return try reductionShape(x, axes: reduction.axes, declared: declared)
    case .selection(let axis, let indices):
      try checkAxes([axis], of: x)
      guard indices.allSatisfy({ $0 >= 0 && $0 < x[axis] }) else {
        throw mismatch("a selected index is out of range", inputs)
      }
      return try Shape(checking: x.dimensions.replacing(axis, with: indices.count))
    case .combination(let combination):
      try checkAxes([combination.axis], of: x)
      guard
        combination.rows.allSatisfy({ terms in
          !terms.isEmpty && terms.allSatisfy { $0.index >= 0 && $0.index < x[combination.axis] }
        })
      else { throw mismatch("a combined index is out of range", inputs) }
      return try Shape(
        checking: x.dimensions.replacing(combination.axis, with: combination.rows.count))
    case .exchange(let exchange):
      try checkAxes([exchange.axis], of: x)
      guard exchange.extents.allSatisfy({ $0 >= 0 && $0 <= Shape.maximumCount }) else {
        throw mismatch("a part has an impossible extent", inputs)
      }
      let total = exchange.extents.reduce(0) { $0.addingReportingOverflow($1).partialValue }
      return try Shape(checking: x.dimensions.replacing(exchange.axis, with: total))
    }
  }

  private func checkAxes(_ axes: [Int], of shape: Shape) throws(MartletError) {
    guard axes.allSatisfy({ $0 >= 0 && $0 < shape.rank }),
      zip(axes, axes.dropFirst()).allSatisfy({ $0 < $1 })
    else { throw mismatch("the axes \(axes) do not fit the operand", [shape]) }
  }

  private func denseShape(_ inputs: [Shape]) throws(MartletError) -> Shape {
    let (x, weights) = (inputs[0], inputs[1])
    guard x.rank >= 1, weights.rank == 2, x[x.rank - 1] == weights[1],
      inputs.count < 3 || inputs[2] == [weights[0]]
    else { throw mismatch("weights or bias do not fit the operand", inputs) }
    return try Shape(checking: x.dimensions.dropLast() + [weights[0]])
  }

  private func matMulShape(_ a: Shape, _ b: Shape) throws(MartletError) -> Shape {
    guard a.rank >= 2, b.rank >= 2, a[a.rank - 1] == b[b.rank - 2] else {
      throw mismatch("the matrices do not fit each other", [a, b])
    }
    let leading = try Shape.broadcast(
      Shape(Array(a.dimensions.dropLast(2))), Shape(Array(b.dimensions.dropLast(2))))
    return try Shape(checking: leading.dimensions + [a[a.rank - 2], b[b.rank - 1]])
  }

  private func concatenationShape(_ inputs: [Shape], axis: Int) throws(MartletError) -> Shape {
    let first = inputs[0]
    try checkAxes([axis], of: first)
    var total = 0
    for shape in inputs {
      guard shape.rank == first.rank,
        first.dimensions.replacing(axis, with: shape[axis]) == shape.dimensions
      else { throw mismatch("the operands differ outside axis \(axis)", [first, shape]) }
      total += shape[axis]
    }
    return try Shape(checking: first.dimensions.replacing(axis, with: total))
  }

  private func sliceShape(_ x: Shape, _ ranges: [SliceRange]) throws(MartletError) -> Shape {
    guard ranges.count == x.rank else { throw mismatch("a slice needs one range per axis", [x]) }
    for (range, extent) in zip(ranges, x.dimensions) where range.count != 0 {
      guard range.step != 0, range.count > 0, range.count <= extent,
        (0..<extent).contains(range.start),
        range.count == 1 || range.step.magnitude <= UInt((extent - 1) / (range.count - 1)),
        range.count == 1
          || (0..<extent).contains(range.start + range.step * (range.count - 1))
      else { throw mismatch("a slice reaches outside its operand", [x]) }
    }
    return Shape(ranges.map(\.count))
  }

  private func padShape(_ x: Shape, _ before: [Int], _ after: [Int]) throws(MartletError) -> Shape {
    let limit = -Shape.maximumCount...Shape.maximumCount
    guard before.count == x.rank, after.count == x.rank,
      (before + after).allSatisfy({ limit.contains($0) })
    else { throw mismatch("the padding does not fit the operand", [x]) }
    return try Shape(checking: x.dimensions.indices.map { before[$0] + x[$0] + after[$0] })
  }

  private func reductionShape(
    _ x: Shape, axes: [Int], declared: Shape?
  ) throws(MartletError) -> Shape {
    try checkAxes(axes, of: x)
    let removed = Shape(x.dimensions.indices.filter { !axes.contains($0) }.map { x[$0] })
    if declared == removed { return removed }
    return Shape(x.dimensions.indices.map { axes.contains($0) ? 1 : x[$0] })
  }
}

extension Shape {
  /// The NumPy broadcast of two shapes.
  ///
  /// - Throws: `.invalidShape` when they do not fit each other.
  package static func broadcast(_ a: Shape, _ b: Shape) throws(MartletError) -> Shape {
    if a == b { return a }
    let rank = max(a.rank, b.rank)
    var result = [Int](repeating: 1, count: rank)
    for axis in 0..<rank {
      let left = axis - (rank - a.rank) >= 0 ? a[axis - (rank - a.rank)] : 1
      let right = axis - (rank - b.rank) >= 0 ? b[axis - (rank - b.rank)] : 1
      guard left == right || left == 1 || right == 1 else {
        throw MartletError(
          .invalidShape, "two shapes cannot be broadcast together",
          context: ["shapes": "\(a), \(b)"])
      }
      result[axis] = left == 1 ? right : left
    }
    return try Shape(checking: result)
  }
}

extension Array {
  /// The same array with another element at one index.
  package func replacing(_ index: Int, with element: Element) -> [Element] {
    var copy = self
    copy[index] = element
    return copy
  }
}
