package import Tensors

extension Shape {
  /// Where in a tensor of this shape the elements of each axis lie.
  var axisOffsets: [[Int]] {
    zip(dimensions, strides).map { extent, stride in (0..<extent).map { $0 * stride } }
  }
}

extension Tensor {
  /// The tensor repeated to a shape that it broadcasts to.
  ///
  /// - Precondition: `Shape.broadcast(shape, target)` is `target`.
  package func broadcast(to target: Shape) -> Tensor {
    if shape == target { return self }
    let lead = target.rank - shape.rank
    let strides = shape.strides
    let tables = target.dimensions.indices.map { axis in
      let step = axis < lead || shape[axis - lead] == 1 ? 0 : strides[axis - lead]
      return (0..<target[axis]).map { $0 * step }
    }
    return gathered(target, tables, fill: 0)
  }

  /// The elements at the sums of one offset per axis; any negative offset gives `fill`.
  func gathered(_ target: Shape, _ tables: [[Int]], fill: Float) -> Tensor {
    switch elements {
    case .float32(let values): Tensor(target, Tensor.gather(values, tables, fill))
    case .int64(let values):
      Tensor(target, Tensor.gather(values, tables, Int64(exactly: fill) ?? 0))
    }
  }

  private static func gather<Element>(
    _ source: [Element], _ tables: [[Int]], _ fill: Element
  ) -> [Element] {
    var result: [Element] = []
    result.reserveCapacity(tables.reduce(1) { $0 * $1.count })
    func visit(_ axis: Int, _ base: Int) {
      guard axis < tables.count else {
        result.append(base < 0 ? fill : source[base])
        return
      }
      guard axis == tables.count - 1 else {
        for offset in tables[axis] { visit(axis + 1, base < 0 || offset < 0 ? -1 : base + offset) }
        return
      }
      for offset in tables[axis] {
        result.append(base < 0 || offset < 0 ? fill : source[base + offset])
      }
    }
    visit(0, 0)
    return result
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
