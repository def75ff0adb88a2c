import CKernels
import Kernels
import ModelGraph
import Tensors

/// Of equal largest elements of a window the first has the whole gradient.
struct MaximumPoolingBackward: BackwardKernel {
  private let planes: Int
  private let window: ck_window

  init(_ pooling: Pooling, _ x: Shape, _ output: Shape) {
    planes = output[0] * output[1]
    window = ck_window(
      x, output, kernel: pooling.kernel, strides: pooling.strides, dilations: pooling.dilations,
      padding: pooling.padding)
  }

  func run(_ operands: BackwardOperands) {
    guard let gradient = operands.gradients[0] else { return }
    operands.forEach(planes) { plane, _ in
      var window = window
      ck_maximum_pooling_gradient(
        operands.inputs[0] + plane * window.inputSize,
        operands.cotangent + plane * window.outputSize, &window,
        gradient + plane * window.inputSize)
    }
  }
}

/// Each element of a window has an equal share.
struct AveragePoolingBackward: BackwardKernel {
  private let planes: Int
  private let window: ck_window
  private let phases: ck_phases
  private let offsets: [Int]
  private let weights: [Float]
  /// By which each output is divided: factors for its row and its column.
  private let rowFactors: [Float]
  private let columnFactors: [Float]

  init(_ pooling: Pooling, _ x: Shape, _ output: Shape) {
    planes = output[0] * output[1]
    window = ck_window(
      x, output, kernel: pooling.kernel, strides: pooling.strides, dilations: pooling.dilations,
      padding: pooling.padding)
    (phases, offsets) = window.splitting()
    weights = [Float](repeating: 1, count: window.area)
    let padding = pooling.padding
    rowFactors = pooling.shares(
      output[2], kernel: pooling.kernel.height, stride: pooling.strides.height,
      dilation: pooling.dilations.height, extent: x[2], before: padding.top,
      after: padding.bottom)
    columnFactors = pooling.shares(
      output[3], kernel: pooling.kernel.width, stride: pooling.strides.width,
      dilation: pooling.dilations.width, extent: x[3], before: padding.left,
      after: padding.right)
  }

  var scratchCount: Int {
    var (window, phases) = (window, phases)
    return ck_split_size(&phases) + ck_flat_size(&window, &phases)
  }

  func run(_ operands: BackwardOperands) {
    guard let gradient = operands.gradients[0] else { return }
    operands.forEach(planes) { plane, scratch in
      var (window, phases) = (window, phases)
      let flat = scratch + ck_split_size(&phases)
      let dy = operands.cotangent + plane * window.outputSize
      for row in 0..<window.out_height {
        let target = dy + row * window.out_width
        ck_binary(target, 1, columnFactors, 1, target, window.out_width, Int32(CK_MULTIPLY))
        ck_scale(target, window.out_width, rowFactors[row])
      }
      ck_flatten_rows(dy, &window, &phases, flat)
      ck_taps_spread(flat, &window, &phases, offsets, weights, weights.count, scratch)
      ck_unsplit_plane_add(scratch, &window, &phases, gradient + plane * window.inputSize)
    }
  }
}
