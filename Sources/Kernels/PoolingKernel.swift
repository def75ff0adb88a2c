import CKernels
import Foundations
package import ModelGraph
import Tensors

/// Maximum or average over windows, by the same shifted planes as depthwise convolution.
struct PoolingKernel: Kernel {
  let planes: Int
  let kind: Pooling.Kind
  let window: ck_window
  let phases: ck_phases
  let offsets: [Int]
  /// What each output's sum is multiplied by, row and column factors.
  let rowFactors: [Float]
  let columnFactors: [Float]
  let weights: [Float]

  init(planes: Int, _ pooling: Pooling, window: ck_window) {
    self.planes = planes
    kind = pooling.kind
    self.window = window
    (phases, offsets) = window.splitting()
    weights = [Float](repeating: 1, count: pooling.kind == .average ? window.area : 0)
    let padding = pooling.padding
    guard pooling.kind == .average else {
      rowFactors = []
      columnFactors = []
      return
    }
    rowFactors = pooling.shares(
      window.out_height, kernel: window.kernel_height, stride: window.stride_height,
      dilation: window.dilation_height, extent: window.height, before: padding.top,
      after: padding.bottom)
    columnFactors = pooling.shares(
      window.out_width, kernel: window.kernel_width, stride: window.stride_width,
      dilation: window.dilation_width, extent: window.width, before: padding.left,
      after: padding.right)
  }

  var scratchCount: Int {
    var (window, phases) = (window, phases)
    return ck_split_size(&phases) + ck_taps_size(&window, &phases)
  }

  func run(_ operands: Operands) {
    operands.forEach(planes) { plane, scratch in
      var (window, phases) = (window, phases)
      let x = operands.input(0) + plane * window.inputSize
      let y = operands.output + plane * window.outputSize
      let flat = scratch + ck_split_size(&phases)
      switch kind {
      case .maximum:
        ck_split_plane(x, &window, &phases, -.infinity, scratch)
        ck_taps_maximum(scratch, &window, &phases, offsets, offsets.count, flat, y)
      case .average:
        ck_split_plane(x, &window, &phases, 0, scratch)
        ck_taps_sum(
          scratch, &window, &phases, offsets, weights, weights.count, 0, Activation?.none.c, flat,
          y)
        for row in 0..<window.out_height {
          let target = y + row * window.out_width
          ck_binary(
            target, 1, columnFactors, 1, target, window.out_width, Int32(CK_MULTIPLY))
          ck_scale(target, window.out_width, rowFactors[row])
        }
      }
    }
  }
}

extension Pooling {
  /// The share that each cell of a window has in the average, by position along one axis: the inverse
  /// of how many of the window's cells count.
  package func shares(
    _ count: Int, kernel: Int, stride: Int, dilation: Int, extent: Int, before: Int, after: Int
  ) -> [Float] {
    let valid = countsPadding ? -before..<(extent + after) : 0..<extent
    return (0..<count).map { position in
      let first = position * stride - before
      let cells = (0..<kernel).count { valid.contains(first + $0 * dilation) }
      return cells == 0 ? 0 : 1 / Float(cells)
    }
  }
}

extension Pooling: KernelMaking {
  func makeKernel(_ site: KernelSite) -> any Kernel {
    let (x, output) = (site.inputs[0], site.output)
    if output[2] == 1, output[3] == 1, kernel == Pair(x[2], x[3]), dilations == Pair(1, 1),
      padding == Padding()
    {
      return ReductionKernel(
        x, Reduction(kind: kind == .maximum ? .maximum : .mean, axes: [2, 3]), output: output)
    }
    return PoolingKernel(
      planes: output[0] * output[1], self,
      window: ck_window(
        x, output, kernel: kernel, strides: strides, dilations: dilations, padding: padding))
  }
}
