import CKernels
import Kernels
import ModelGraph
import Tensors

struct LayerNormalizationBackward: BackwardKernel {
  private let outer: Int
  private let count: Int
  private let inner: Int
  private let epsilon: Float

  init(_ norm: LayerNormalization, _ output: Shape) {
    outer = output.outerCount(before: norm.axes[0])
    count = norm.axes.reduce(1) { $0 * output[$1] }
    inner = output.innerCount(after: norm.axes[norm.axes.count - 1])
    epsilon = norm.epsilon
  }

  var scratchCount: Int { inner == 1 ? 0 : 4 * inner }

  func run(_ operands: BackwardOperands) {
    guard count > 0, inner > 0 else { return }
    let scale = operands.inputs.count > 1 ? operands.inputs[1] : nil
    let dscale = operands.gradients.count > 1 ? operands.gradients[1] : nil
    let dshift = operands.gradients.count > 2 ? operands.gradients[2] : nil
    func run(
      _ block: Int, _ scratch: UnsafeMutablePointer<Float>, dx: Bool, parameters: Bool
    ) {
      let offset = block * count * inner
      ck_layer_norm_gradient(
        operands.inputs[0] + offset, scale, operands.cotangent + offset,
        dx ? operands.gradients[0].map { $0 + offset } : nil, parameters ? dscale : nil,
        parameters ? dshift : nil, count, inner, epsilon, scratch)
    }
    if operands.gradients[0] != nil {
      operands.forEach(outer) { run($0, $1, dx: true, parameters: false) }
    }
    // All blocks add to the same parameters, so one after the other.
    if dscale != nil || dshift != nil {
      for block in 0..<outer { run(block, operands.scratch, dx: false, parameters: true) }
    }
  }
}

struct SoftmaxBackward: BackwardKernel {
  let outer: Int
  let count: Int
  let inner: Int
  let logarithmic: Bool

  var scratchCount: Int { inner }

  func run(_ operands: BackwardOperands) {
    guard let result = operands.gradients[0] else { return }
    operands.forEach(outer) { block, scratch in
      let offset = block * count * inner
      ck_softmax_gradient(
        operands.output + offset, operands.cotangent + offset, result + offset, count, inner,
        logarithmic ? 1 : 0, scratch)
    }
  }
}

/// A fold; equal largest or smallest elements share the gradient.
struct ReductionBackward: BackwardKernel {
  private let kind: Reduction.Kind
  /// Over the kept axes: places in the operand and in the result.
  private let outer: StridedWalk
  /// Over the folded axes: places relative to one of the former.
  private let inner: StridedWalk
  private let factor: Float

  init(_ x: Shape, _ reduction: Reduction) {
    kind = reduction.kind
    let kept = x.dimensions.indices.filter { !reduction.axes.contains($0) }
    let result = Shape(kept.map { x[$0] })
    let strides = x.strides
    outer = StridedWalk(
      extents: result.dimensions, kept.map { strides[$0] }, result.strides,
      [Int](repeating: 0, count: kept.count))
    let zeros = [Int](repeating: 0, count: reduction.axes.count)
    inner = StridedWalk(
      extents: reduction.axes.map { x[$0] }, reduction.axes.map { strides[$0] }, zeros, zeros)
    let count = reduction.axes.reduce(1) { $0 * x[$1] }
    factor = reduction.kind == .mean ? 1 / Float(max(count, 1)) : 1
  }

  func run(_ operands: BackwardOperands) {
    guard let result = operands.gradients[0] else { return }
    let dy = operands.cotangent
    outer.forEachRun { x, y, _ in
      for index in 0..<outer.count {
        let (x, y) = (x + index * outer.steps.0, y + index * outer.steps.1)
        switch kind {
        case .mean, .sum: spread(result + x, dy[y] * factor)
        case .maximum, .minimum:
          share(operands.inputs[0] + x, operands.output[y], dy[y], result + x)
        case .product: multiplyOthers(operands.inputs[0] + x, dy[y], result + x)
        }
      }
    }
  }

  private func spread(_ result: UnsafeMutablePointer<Float>, _ value: Float) {
    let (count, step) = (inner.count, inner.steps.0)
    inner.forEachRun { run, _, _ in
      for index in 0..<count { result[run + index * step] += value }
    }
  }

  /// Each element's slope is the product of the others, zeros or not.
  private func multiplyOthers(
    _ x: UnsafePointer<Float>, _ value: Float, _ result: UnsafeMutablePointer<Float>
  ) {
    let (count, step) = (inner.count, inner.steps.0)
    var product = value
    var zeros = 0
    inner.forEachRun { run, _, _ in
      for index in 0..<count {
        let factor = x[run + index * step]
        if factor == 0 { zeros += 1 } else { product *= factor }
      }
    }
    guard zeros < 2 else { return }
    inner.forEachRun { run, _, _ in
      for index in 0..<count {
        let factor = x[run + index * step]
        if zeros == 0 {
          result[run + index * step] += product / factor
        } else if factor == 0 {
          result[run + index * step] += product
        }
      }
    }
  }

  private func share(
    _ x: UnsafePointer<Float>, _ extremum: Float, _ value: Float,
    _ result: UnsafeMutablePointer<Float>
  ) {
    let (count, step) = (inner.count, inner.steps.0)
    var ties = 0
    inner.forEachRun { run, _, _ in
      for index in 0..<count where x[run + index * step] == extremum { ties += 1 }
    }
    guard ties > 0 else { return }
    let part = value / Float(ties)
    inner.forEachRun { run, _, _ in
      for index in 0..<count where x[run + index * step] == extremum {
        result[run + index * step] += part
      }
    }
  }
}
