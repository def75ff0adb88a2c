package import Foundations
package import Tensors

/// A product of two matrices, or of many with leading axes that broadcast.
package struct MatMul: OperationFacts {
  package static let kind = "matMul"
  package static let operandCounts = 2...2

  package var operation: Operation { .matMul }

  package func outputShape(_ inputs: [Shape], declared: Shape?) throws(MartletError) -> Shape {
    let (a, b) = (inputs[0], inputs[1])
    guard a.rank >= 2, b.rank >= 2, a[a.rank - 1] == b[b.rank - 2] else {
      throw mismatch("the matrices do not fit each other", [a, b])
    }
    let leading = try Shape.broadcast(
      Shape(Array(a.dimensions.dropLast(2))), Shape(Array(b.dimensions.dropLast(2))))
    return try Shape(checking: leading.dimensions + [a[a.rank - 2], b[b.rank - 1]])
  }

  package func multiplyAdds(_ inputs: [Shape], result: Shape) -> Int {
    result.count * (inputs.first?.dimensions.last ?? 0)
  }

  /// Of two matrices only the rows of the first can be a batch.
  package func keepsBatch(_ operands: [Shape?], result: Shape) -> Bool {
    operands.allSatisfy { $0 == nil || $0?.rank == result.rank }
      && (result.rank > 2 || operands[1] == nil)
  }
}
