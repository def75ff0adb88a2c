package import Foundations
package import Tensors

/// The gathering of a value from its parts.
package struct Exchange: Sendable, Hashable, Codable {
  /// The layer whose value is gathered; the `<layer>` of its topics.
  package var layer: String
  /// The axis along which parts lie one after the other.
  package var axis: Int
  /// Extents along `axis` of the pieces that make up the gathered value; they add up to its extent.
  package var extents: [Int]
  /// Makes an exchange.
  package init(layer: String, axis: Int, extents: [Int]) {
    self.layer = layer
    self.axis = axis
    self.extents = extents
  }
}

extension Exchange: OperationFacts {
  package static let kind = "exchange"

  package var operation: Operation { .exchange(self) }

  package func outputShape(_ inputs: [Shape], declared: Shape?) throws(MartletError) -> Shape {
    let x = inputs[0]
    try checkAxes([axis], of: x)
    guard extents.allSatisfy({ $0 >= 0 && $0 <= Shape.maximumCount }) else {
      throw mismatch("a part has an impossible extent", inputs)
    }
    let total = extents.reduce(0) { $0.addingReportingOverflow($1).partialValue }
    return try Shape(checking: x.dimensions.replacing(axis, with: total))
  }

  /// The result is what it is declared to be; a device without a part only receives.
  package func check(_ inputs: [Shape], result: Shape) throws(MartletError) {
    guard inputs.count <= 1 else {
      throw mismatch("an exchange takes the device's own part alone", inputs)
    }
    guard axis >= 0, axis < result.rank,
      extents.allSatisfy({ $0 >= 0 && $0 <= result[axis] }),
      extents.reduce(0, { $0 &+ $1 }) == result[axis]
    else { throw mismatch("the parts do not make up the result", inputs + [result]) }
    guard let part = inputs.first else { return }
    guard part.rank == result.rank, part[axis] <= result[axis],
      part.replacing(axis: axis, with: result[axis]) == result
    else { throw mismatch("the part does not fit the result", [part, result]) }
  }

  package func keepsBatch(_ operands: [Shape?], result: Shape) -> Bool { false }
}
