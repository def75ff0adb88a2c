import CKernels
import ModelGraph
import Tensors

struct LayerNormalizationKernel: Kernel {
  /// Independent blocks: rows, or images when the statistics are taken over channels.
  let outer: Int
  let count: Int
  let inner: Int
  let operandCount: Int
  let epsilon: Float

  func run(_ operands: Operands) {
    guard count > 0, inner > 0 else { return }
    let x = operands.input(0)
    let scale = operandCount > 1 ? operands.input(1) : nil
    let shift = operandCount > 2 ? operands.input(2) : nil
    let y = operands.output
    if inner == 1 {
      let rows = 64
      operands.forEach((outer + rows - 1) / rows) { block, _ in
        let start = block * rows
        ck_layer_norm_rows(
          x + start * count, scale, shift, y + start * count, min(rows, outer - start), count,
          epsilon)
      }
    } else {
      for block in 0..<outer {
        let offset = block * count * inner
        ck_layer_norm_channels(x + offset, scale, shift, y + offset, count, inner, epsilon)
      }
    }
  }
}

struct SoftmaxKernel: Kernel {
  let outer: Int
  let count: Int
  let inner: Int
  let logarithmic: Bool

  func run(_ operands: Operands) {
    guard count > 0 else { return }
    operands.forEach(outer) { block, _ in
      let offset = block * count * inner
      ck_softmax(
        operands.input(0) + offset, operands.output + offset, count, inner, logarithmic ? 1 : 0)
    }
  }
}

/// Folds over any set of axes: neighbouring axes that are both folded or both kept are merged, and
/// each innermost run is either folded to one element or folded into a run of results.
struct ReductionKernel: Kernel {
  let extents: [Int]
  /// Strides in the result; 0 along folded axes.
  let outputStrides: [Int]
  let outputCount: Int
  let fold: Int32
  let divisor: Int

  init(_ x: Shape, _ reduction: Reduction, output: Shape) {
    let kept = x.dimensions.indices.map { reduction.axes.contains($0) ? 1 : x[$0] }
    let strides = Shape(kept).strides
    var extents: [Int] = []
    var outputStrides: [Int] = []
    for axis in x.dimensions.indices where x[axis] != 1 {
      let stride = reduction.axes.contains(axis) ? 0 : strides[axis]
      if let last = extents.indices.last, outputStrides[last] == stride * x[axis] {
        extents[last] *= x[axis]
        outputStrides[last] = stride
      } else {
        extents.append(x[axis])
        outputStrides.append(stride)
      }
    }
    self.extents = extents.isEmpty ? [1] : extents
    self.outputStrides = outputStrides.isEmpty ? [0] : outputStrides
    outputCount = output.count
    let code =
      switch reduction.kind {
      case .mean, .sum: CK_SUM
      case .maximum: CK_LARGEST
      case .minimum: CK_SMALLEST
      case .product: CK_PRODUCT
      }
    fold = Int32(code)
    divisor = reduction.kind == .mean ? reduction.axes.reduce(1) { $0 * x[$1] } : 1
  }

  func run(_ operands: Operands) {
    let y = operands.output
    let start: Float =
      switch Int(fold) {
      case CK_SUM: 0
      case CK_LARGEST: -.infinity
      case CK_PRODUCT: 1
      default: .infinity
      }
    ck_fill(y, outputCount, start)
    if !extents.contains(0) { apply(axis: 0, operands.input(0), y) }
    if divisor > 1 { ck_scale(y, outputCount, 1 / Float(divisor)) }
  }

  private func apply(
    axis: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
  ) {
    if axis == extents.count - 1 {
      if outputStrides[axis] == 0 {
        var value = ck_reduce(x, extents[axis], fold)
        ck_accumulate(&value, y, 1, fold)
      } else {
        ck_accumulate(x, y, extents[axis], fold)
      }
      return
    }
    let inner = extents[(axis + 1)...].reduce(1, *)
    for index in 0..<extents[axis] {
      apply(axis: axis + 1, x + index * inner, y + index * outputStrides[axis])
    }
  }
}

extension LayerNormalization: KernelMaking {
  func makeKernel(_ site: KernelSite) -> any Kernel {
    let output = site.output
    return LayerNormalizationKernel(
      outer: output.outerCount(before: axes[0]), count: axes.reduce(1) { $0 * output[$1] },
      inner: output.innerCount(after: axes[axes.count - 1]), operandCount: site.inputs.count,
      epsilon: epsilon)
  }
}

extension Softmax: KernelMaking {
  func makeKernel(_ site: KernelSite) -> any Kernel {
    let output = site.output
    return SoftmaxKernel(
      outer: output.outerCount(before: axis), count: output[axis],
      inner: output.innerCount(after: axis), logarithmic: logarithmic)
  }
}

extension Reduction: KernelMaking {
  func makeKernel(_ site: KernelSite) -> any Kernel {
    ReductionKernel(site.inputs[0], self, output: site.output)
  }
}

struct ExtremumKernel: Kernel {
  let outer: Int
  let count: Int
  let inner: Int
  let extremum: Extremum

  func run(_ operands: Operands) {
    operands.forEach(outer) { block, _ in
      ck_extremum_position(
        operands.input(0) + block * count * inner, operands.output + block * inner, count, inner,
        extremum.isSmallest ? 1 : 0, extremum.isLast ? 1 : 0)
    }
  }
}

extension Extremum: KernelMaking {
  func makeKernel(_ site: KernelSite) -> any Kernel {
    let x = site.inputs[0]
    return ExtremumKernel(
      outer: x.outerCount(before: axis), count: x[axis], inner: x.innerCount(after: axis),
      extremum: self)
  }
}
