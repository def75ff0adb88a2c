package import CKernels
import Foundations
import ModelGraph

/// A convolution in which each output channel reads one input channel.
struct DepthwiseKernel: Kernel {
  let batch: Int
  let inputChannels: Int
  /// The input channel of each output channel.
  let sources: [Int]
  let window: ck_window
  let phases: ck_phases
  let offsets: [Int]
  let hasBias: Bool
  let activation: Activation?

  init(
    batch: Int, inputChannels: Int, sources: [Int], window: ck_window, hasBias: Bool,
    activation: Activation?
  ) {
    self.batch = batch
    self.inputChannels = inputChannels
    self.sources = sources
    self.window = window
    self.hasBias = hasBias
    self.activation = activation
    (phases, offsets) = window.splitting()
  }

  var scratchCount: Int {
    var (window, phases) = (window, phases)
    return ck_split_size(&phases) + ck_taps_size(&window, &phases)
  }

  func run(_ operands: Operands) {
    let act = activation.c
    let channels = sources.count
    operands.forEach(batch * channels) { task, scratch in
      let channel = task % channels
      let image = task / channels
      var (window, phases) = (window, phases)
      let x =
        operands.input(0) + (image * inputChannels + sources[channel]) * window.inputSize
      let area = window.area
      ck_split_plane(x, &window, &phases, 0, scratch)
      ck_taps_sum(
        scratch, &window, &phases, offsets, operands.input(1) + channel * area, area,
        hasBias ? operands.input(2)[channel] : 0, act, scratch + ck_split_size(&phases),
        operands.output + task * window.outputSize)
    }
  }
}

extension ck_window {
  /// How a plane is split for this window, and the offset of each tap.
  package func splitting() -> (ck_phases, [Int]) {
    var window = self
    var phases = ck_phases_for(&window)
    let offsets = (0..<area).map {
      ck_tap_offset(&window, &phases, $0 / kernel_width, $0 % kernel_width)
    }
    return (phases, offsets)
  }
}
