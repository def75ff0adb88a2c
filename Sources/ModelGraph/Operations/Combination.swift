package import Foundations
package import Tensors

/// Sums of slices: result index i along `axis` is the sum of the operand's slices in `rows[i]`, each
/// times its factor.
///
/// A result of which some slice is not a number at its first element (something that it needs is
/// lost) is zero throughout.
package struct Combination: Sendable, Hashable, Codable {
  /// One slice of the operand.
  package struct Term: Sendable, Hashable, Codable {
    /// Its index along the axis.
    package var index: Int
    /// What it is multiplied with.
    package var factor: Float

    /// Makes a term.
    package init(index: Int, factor: Float) {
      self.index = index
      self.factor = factor
    }
  }

  /// The axis.
  package var axis: Int
  /// The terms of each result, at least one.
  package var rows: [[Term]]

  /// Makes a combination.
  package init(axis: Int, rows: [[Term]]) {
    self.axis = axis
    self.rows = rows
  }
}

extension Combination: OperationFacts {
  package static let kind = "combination"

  package var operation: Operation { .combination(self) }

  package func outputShape(_ inputs: [Shape], declared: Shape?) throws(MartletError) -> Shape {
    let x = inputs[0]
    try checkAxes([axis], of: x)
    guard
      rows.allSatisfy({ terms in
        !terms.isEmpty && terms.allSatisfy { $0.index >= 0 && $0.index < x[axis] }
      })
    else { throw mismatch("a combined index is out of range", inputs) }
    return try Shape(checking: x.dimensions.replacing(axis, with: rows.count))
  }

  package func keepsBatch(_ operands: [Shape?], result: Shape) -> Bool { axis != 0 }
}
