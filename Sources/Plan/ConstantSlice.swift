package import ModelGraph
package import Tensors

/// How a device's copy of a constant is made from the model's: chosen indices along some axes, or sums
/// of rows.
///
/// Shared by planning, which has the model's weights and writes each device's shard, and by workers,
/// which have only their shard and check that its tensors have the shapes that this predicts.
package struct ConstantSlice: Sendable, Hashable {
  /// Indices to keep along one axis, in the order of the copy.
  package struct Selection: Sendable, Hashable {
    /// The axis.
    package var axis: Int
    /// Positions in the model's constant.
    package var indices: [Int]
  }

  /// The constant of the model.
  package var source: ValueID
  /// Applied one after the other; no two on the same axis.
  package var selections: [Selection]
  /// Sums of rows (axis 0), of a parity block; nil when the rows are copied.
  package var sums: [[Combination.Term]]?

  /// The shape of the copy.
  package func shape(from source: Shape) -> Shape {
    let selected = selections.reduce(source) {
      $0.replacing(axis: $1.axis, with: $1.indices.count)
    }
    return sums.map { selected.replacing(axis: 0, with: $0.count) } ?? selected
  }

  /// Makes the copy.
  package func apply(to tensor: Tensor) -> Tensor {
    let selected = selections.reduce(tensor) { $0.selecting($1.indices, axis: $1.axis) }
    return sums.map { selected.summing($0) } ?? selected
  }
}

extension Tensor {
  /// The slices at `indices` along `axis`, in that order.
  func selecting(_ indices: [Int], axis: Int) -> Tensor {
    let outer = shape.outerCount(before: axis)
    let inner = shape.innerCount(after: axis)
    let target = shape.replacing(axis: axis, with: indices.count)
    func gather<Element>(_ source: [Element]) -> [Element] {
      var result: [Element] = []
      result.reserveCapacity(target.count)
      for block in 0..<outer {
        let base = block * shape[axis] * inner
        for index in indices {
          result.append(contentsOf: source[(base + index * inner)..<(base + (index + 1) * inner)])
        }
      }
      return result
    }
    switch elements {
    case .float32(let values): return Tensor(target, gather(values))
    case .int64(let values): return Tensor(target, gather(values))
    }
  }

  /// Sums of rows, each rounded once.
  func summing(_ sums: [[Combination.Term]]) -> Tensor {
    guard let values = floats else { preconditionFailure("only float32 constants are summed") }
    let inner = shape.innerCount(after: 0)
    var result: [Float] = []
    result.reserveCapacity(sums.count * inner)
    var row = [Double](repeating: 0, count: inner)
    for terms in sums {
      for index in row.indices { row[index] = 0 }
      for term in terms {
        let factor = Double(term.factor)
        for index in row.indices {
          row[index] += factor * Double(values[term.index * inner + index])
        }
      }
      result.append(contentsOf: row.map { Float($0) })
    }
    return Tensor(shape.replacing(axis: 0, with: sums.count), result)
  }
}
