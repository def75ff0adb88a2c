import CKernels
import Kernels
import ModelGraph
import Tensors

/// A convolution in which each output channel reads one input channel: by the shifted flat planes of
/// the forward kernel. A task owns an input channel, with all output channels that read it.
struct DepthwiseBackward: BackwardKernel {
  private let batch: Int
  private let inputChannels: Int
  private let outputChannels: Int
  /// The output channels of each input channel.
  private let readers: [Range<Int>]
  private let window: ck_window
  private let phases: ck_phases
  private let offsets: [Int]
  private let activation: Activation?

  init(_ convolution: Convolution, _ inputs: [Shape], _ output: Shape) {
    window = ck_window(
      inputs[0], output, kernel: convolution.kernel, strides: convolution.strides,
      dilations: convolution.dilations, padding: convolution.padding)
    (phases, offsets) = window.splitting()
    batch = output[0]
    inputChannels = inputs[0][1]
    outputChannels = output[1]
    activation = convolution.activation
    let counts =
      convolution.groupOutputs
      ?? [Int](repeating: output[1] / convolution.groups, count: convolution.groups)
    var readers: [Range<Int>] = []
    var first = 0
    for count in counts {
      readers.append(first..<first + count)
      first += count
    }
    self.readers = readers
  }

  private var splitCount: Int {
    var phases = phases
    return ck_split_size(&phases)
  }

  var scratchCount: Int {
    var (window, phases) = (window, phases)
    return 2 * splitCount + ck_flat_size(&window, &phases)
  }

  func run(_ operands: BackwardOperands) {
    operands.forEach(readers.count) { channel, scratch in
      let split = splitCount
      let (planes, spread, flat) = (scratch, scratch + split, scratch + 2 * split)
      let (size, area) = (window.outputSize, window.area)
      var (window, phases) = (window, phases)
      for image in 0..<batch {
        let plane = (image * inputChannels + channel) * window.inputSize
        var isSplit = false
        for output in readers[channel] {
          let position = (image * outputChannels + output) * size
          let dz = operands.cotangent + position
          ck_activation_gradient_from_result(
            operands.output + position, dz, size, activation.c)
          if operands.gradients.count > 2, let bias = operands.gradients[2] {
            bias[output] += ck_reduce(dz, size, Int32(CK_SUM))
          }
          ck_flatten_rows(dz, &window, &phases, flat)
          if let weights = operands.gradients[1] {
            if !isSplit {
              ck_split_plane(operands.inputs[0] + plane, &window, &phases, 0, planes)
              isSplit = true
            }
            ck_taps_gradient(
              planes, &window, &phases, offsets, area, flat, weights + output * area)
          }
          if let result = operands.gradients[0] {
            ck_taps_spread(
              flat, &window, &phases, offsets, operands.inputs[1] + output * area, area, spread)
            ck_unsplit_plane_add(spread, &window, &phases, result + plane)
          }
        }
      }
    }
  }
}
