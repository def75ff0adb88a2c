import Foundations
import ModelGraph
import Tensors

extension Operators {
  static let products: [String: Rule] = [
    "Gemm": gemm, "MatMul": matMul,
  ]

  static func gemm(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let alpha = try node.float("alpha", default: 1)
    let beta = try node.float("beta", default: 1)
    let flipA = try node.integer("transA", default: 0) != 0
    let flipB = try node.integer("transB", default: 0) != 0
    var a = try node.input(0)
    let b = try node.input(1)
    guard lowering.shape(a).rank == 2, lowering.shape(b).rank == 2 else {
      throw MartletError(.invalidShape, "the operands must be matrices")
    }
    if flipA { a = try lowering.add(.transpose(permutation: [1, 0]), [a], node, "a") }
    var result: ValueID
    if let weights = lowering.builder.graph.constants[b] {
      result = try lowering.add(
        .dense(Dense()),
        [a, try denseWeights(&lowering, weights, b, isOutputFirst: flipB, scale: alpha, node)],
        node, "product")
    } else {
      let right =
        flipB ? try lowering.add(.transpose(permutation: [1, 0]), [b], node, "b") : b
      result = try lowering.add(.matMul, [a, right], node, "product")
      result = try scaled(&lowering, result, by: alpha, node, "alpha")
    }
    guard let c = node.optionalInput(2), beta != 0 else { return [result] }
    let addend = try scaled(&lowering, c, by: beta, node, "beta")
    let shape = lowering.shape(result)
    return [try lowering.add(.binary(.add), [result, addend], node, shape: shape)]
  }

  /// Weights with the outputs first, as `dense` wants them.
  private static func denseWeights(
    _ lowering: inout Lowering, _ weights: Tensor, _ id: ValueID, isOutputFirst: Bool,
    scale: Float, _ node: NodeReader
  ) throws(MartletError) -> ValueID {
    let upright =
      isOutputFirst ? id : try lowering.add(.transpose(permutation: [1, 0]), [id], node, "weights")
    return try scaled(&lowering, upright, by: scale, node, "alpha")
  }

  private static func scaled(
    _ lowering: inout Lowering, _ id: ValueID, by factor: Float, _ node: NodeReader,
    _ suffix: String
  ) throws(MartletError) -> ValueID {
    guard factor != 1 else { return id }
    let constant = lowering.constant(Tensor([], [factor]), node, suffix + "Factor")
    return try lowering.add(.binary(.multiply), [id, constant], node, suffix)
  }

  static func matMul(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    var a = try node.input(0)
    var b = try node.input(1)
    let (left, right) = (lowering.shape(a), lowering.shape(b))
    guard left.rank >= 1, right.rank >= 1 else {
      throw MartletError(.invalidShape, "a matrix product of scalars")
    }
    // A vector on the left is a row, one on the right a column; the extra axis goes away again.
    if left.rank == 1 { a = try lowering.reshape(a, [1, left[0]], node, "row") }
    if right.rank == 1 { b = try lowering.reshape(b, [right[0], 1], node, "column") }
    let product = try lowering.add(.matMul, [a, b], node)
    var extents = lowering.shape(product).dimensions
    if right.rank == 1 { extents.removeLast() }
    if left.rank == 1 { extents.remove(at: extents.count - (right.rank == 1 ? 1 : 2)) }
    return [try lowering.reshape(product, extents, node, "vector")]
  }
}
