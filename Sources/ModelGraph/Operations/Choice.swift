package import Foundations
package import Tensors

/// One of two operands, element by element: the second where the first is not 0, else the third.
package struct Choice: OperationFacts {
  package static let kind = "choice"
  package static let operandCounts = 3...3

  package var operation: Operation { .choice }

  package func outputShape(_ inputs: [Shape], declared: Shape?) throws(MartletError) -> Shape {
    try Shape.broadcast(try Shape.broadcast(inputs[0], inputs[1]), inputs[2])
  }

  package func keepsBatch(_ operands: [Shape?], result: Shape) -> Bool {
    operands.allSatisfy { $0 == nil || $0?.rank == result.rank }
  }

  package func channelRule(_ inputs: [Shape], result: Shape) -> ChannelRule { .elementwise }

  package func rows(axis: Int, _ inputs: [Shape], result: Shape) -> [RowRule.Operand]? {
    inputs.map { shape -> RowRule.Operand in
      let from = axis - (result.rank - shape.rank)
      return from >= 0 && shape[from] > 1 ? .rows(axis: from, .same(shape[from])) : .whole
    }
  }
}
