package import Foundations
import Glibc
package import Tensors

extension Operation {
  /// The result for constant operands, or nil for an operation that is not worth folding (products,
  /// pooling, normalisation) or whose operand types it does not define.
  ///
  /// - Parameter shape: The result's shape, as `outputShape` gives it for these operands.
  /// - Throws: `.unsupported` for integer division by zero.
  package func evaluated(_ operands: [Tensor], shape: Shape) throws(MartletError) -> Tensor? {
    let x = operands[0]
    switch self {
    case .activation(let activation):
      return x.floats.map { Tensor(shape, $0.map { activation.value($0) }) }
    case .unary(let function):
      return evaluated(function, x)
    case .binary(let function):
      return try evaluated(function, x.broadcast(to: shape), operands[1].broadcast(to: shape))
    case .reshape:
      return x.reshaped(shape)
    case .concatenation(let axis):
      return concatenated(operands, axis: axis, shape: shape)
    case .reduction(let reduction):
      return reduced(x, reduction, shape: shape)
    default:
      return sourceOffsets(x.shape, shape).map {
        x.gathered(shape, $0.tables, fill: $0.fill)
      }
    }
  }

  /// For an operation that only moves elements: where in the operand the elements of each output
  /// axis come from, or -1 for fill.
  private func sourceOffsets(_ operand: Shape, _ result: Shape) -> (tables: [[Int]], fill: Float)? {
    let strides = operand.strides
    let identity = operand.dimensions.indices.map { axis in
      (0..<operand[axis]).map { $0 * strides[axis] }
    }
    switch self {
    case .transpose(let permutation):
      return (permutation.map { identity[$0] }, 0)
    case .slice(let ranges):
      return (
        ranges.indices.map { axis in
          (0..<ranges[axis].count).map {
            (ranges[axis].start + $0 * ranges[axis].step) * strides[axis]
          }
        }, 0
      )
    case .pad(let before, _, let value):
      return (
        before.indices.map { axis in
          (0..<result[axis]).map {
            let index = $0 - before[axis]
            return (0..<operand[axis]).contains(index) ? index * strides[axis] : -1
          }
        }, value
      )
    case .selection(let axis, let indices):
      return (identity.replacing(axis, with: indices.map { $0 * strides[axis] }), 0)
    default:
      return nil
    }
  }

  private func evaluated(_ function: UnaryFunction, _ x: Tensor) -> Tensor? {
    if let values = x.floats {
      return Tensor(x.shape, values.map { function.value($0) })
    }
    guard let values = x.integers else { return nil }
    switch function {
    case .negate: return Tensor(x.shape, values.map { 0 &- $0 })
    case .absolute: return Tensor(x.shape, values.map { $0 < 0 ? 0 &- $0 : $0 })
    case .floor, .ceiling: return x
    default: return nil
    }
  }

  private func evaluated(
    _ function: BinaryFunction, _ a: Tensor, _ b: Tensor
  ) throws(MartletError) -> Tensor? {
    if let left = a.floats, let right = b.floats {
      return Tensor(a.shape, zip(left, right).map { function.value($0, $1) })
    }
    guard let left = a.integers, let right = b.integers else { return nil }
    guard function != .power else { return nil }
    if function == .divide, right.contains(0) {
      throw MartletError(.unsupported, "constant integer arithmetic divides by zero")
    }
    return Tensor(a.shape, zip(left, right).map { function.value($0, $1) })
  }

  private func concatenated(_ operands: [Tensor], axis: Int, shape: Shape) -> Tensor? {
    func joined<Element>(_ parts: [[Element]]) -> [Element] {
      var result: [Element] = []
      result.reserveCapacity(shape.count)
      let runs = operands.map { $0.shape[axis] * $0.shape.innerCount(after: axis) }
      for outer in 0..<shape.outerCount(before: axis) {
        for (part, run) in zip(parts, runs) { result += part[outer * run..<(outer + 1) * run] }
      }
      return result
    }
    let floats = operands.compactMap(\.floats)
    if floats.count == operands.count { return Tensor(shape, joined(floats)) }
    let integers = operands.compactMap(\.integers)
    return integers.count == operands.count ? Tensor(shape, joined(integers)) : nil
  }

  private func reduced(_ x: Tensor, _ reduction: Reduction, shape: Shape) -> Tensor? {
    let kept = x.shape.dimensions.indices.filter { !reduction.axes.contains($0) }
    let permutation = kept + reduction.axes
    let ordered = Shape(permutation.map { x.shape[$0] })
    let length = reduction.axes.reduce(1) { $0 * x.shape[$1] }
    guard length > 0,
      let source = Operation.transpose(permutation: permutation).sourceOffsets(x.shape, ordered),
      let values = x.gathered(ordered, source.tables, fill: 0).floats
    else { return nil }
    return Tensor(
      shape,
      (0..<shape.count).map { index in
        reduction.kind.value(values[index * length..<(index + 1) * length])
      })
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
