import CKernels
import Kernels
import ModelGraph
import Tensors

/// Convolution: dw = dz im2col(x)^T and dx = col2im(w^T dz), in blocks that stay in cache; pointwise
/// convolutions use the images as they are.
struct ConvolutionBackward: BackwardKernel {
  /// Which outputs read which input channels.
  private struct Group: Sendable {
    let firstInput: Int
    let outputs: Range<Int>
  }

  private let batch: Int
  private let groups: [Group]
  /// Input channels of one group.
  private let depth: Int
  private let inputChannels: Int
  private let outputChannels: Int
  private let window: ck_window
  private let activation: Activation?

  /// Output pixels and im2col rows in one product.
  private static let tileColumns = 1024
  private static let tileRows = 256
  /// Outputs in one piece of work on the weights.
  private static let outputBlock = 128

  private var k: Int { depth * window.area }

  init(_ convolution: Convolution, _ inputs: [Shape], _ output: Shape) {
    window = ck_window(
      inputs[0], output, kernel: convolution.kernel, strides: convolution.strides,
      dilations: convolution.dilations, padding: convolution.padding)
    batch = output[0]
    depth = inputs[1][1]
    inputChannels = inputs[0][1]
    outputChannels = output[1]
    activation = convolution.activation
    let counts =
      convolution.groupOutputs
      ?? [Int](repeating: output[1] / convolution.groups, count: convolution.groups)
    var groups: [Group] = []
    var first = 0
    for (group, count) in counts.enumerated() {
      groups.append(Group(firstInput: group * depth, outputs: first..<first + count))
      first += count
    }
    self.groups = groups.filter { !$0.outputs.isEmpty }
  }

  var scratchCount: Int {
    let rows = max(Self.tileRows, window.area)
    return window.isPointwise
      ? 0 : min(rows, k) * min(Self.tileColumns, window.outputSize)
  }

  func run(_ operands: BackwardOperands) {
    guard batch > 0, outputChannels > 0 else { return }
    if activation != nil {
      operands.forEachPiece(batch * outputChannels * window.outputSize) {
        ck_activation_gradient_from_result(
          operands.output + $0, operands.cotangent + $0, $1, activation.c)
      }
    }
    if operands.gradients.count > 2, let bias = operands.gradients[2] { sumBias(operands, bias) }
    if k > 0, let weights = operands.gradients[1] { addWeights(operands, weights) }
    if k > 0, let image = operands.gradients[0] { addImages(operands, image) }
  }

  private func sumBias(_ operands: BackwardOperands, _ bias: UnsafeMutablePointer<Float>) {
    let size = window.outputSize
    operands.forEach(outputChannels) { channel, _ in
      for image in 0..<batch {
        bias[channel] += ck_reduce(
          operands.cotangent + (image * outputChannels + channel) * size, size, Int32(CK_SUM))
      }
    }
  }

  private func cotangent(
    _ operands: BackwardOperands, image: Int, output: Int, pixel: Int
  ) -> Matrix<UnsafePointer<Float>> {
    Matrix(
      base: UnsafePointer(operands.cotangent)
        + (image * outputChannels + output) * window.outputSize + pixel,
      stride: window.outputSize)
  }

  /// A task owns a block of the weights and goes through all images.
  private func addWeights(_ operands: BackwardOperands, _ weights: UnsafeMutablePointer<Float>) {
    let rowBlocks = (k + Self.tileRows - 1) / Self.tileRows
    let most = groups.map(\.outputs.count).max() ?? 0
    // At least two tasks, so that two cores have work in narrow layers.
    let outputBlocks = max((most + Self.outputBlock - 1) / Self.outputBlock, 2)
    operands.forEach(groups.count * rowBlocks * outputBlocks) { task, scratch in
      let group = groups[task / outputBlocks / rowBlocks]
      let outputs = group.outputs.piece(task % outputBlocks, of: outputBlocks, alignment: 8)
      guard !outputs.isEmpty else { return }
      let row = task / outputBlocks % rowBlocks * Self.tileRows
      let rows = min(Self.tileRows, k - row)
      let target = Matrix(base: weights + outputs.lowerBound * k + row, stride: k)
      for image in 0..<batch {
        let x =
          operands.inputs[0] + (image * inputChannels + group.firstInput) * window.inputSize
        for pixel in stride(from: 0, to: window.outputSize, by: Self.tileColumns) {
          let pixels = min(Self.tileColumns, window.outputSize - pixel)
          let columns: Matrix<UnsafePointer<Float>>
          if window.isPointwise {
            columns = Matrix(base: x + row * window.outputSize + pixel, stride: window.outputSize)
          } else {
            var window = window
            ck_im2col(x, &window, row, row + rows, pixel, pixel + pixels, scratch, pixels)
            columns = Matrix(base: UnsafePointer(scratch), stride: pixels)
          }
          multiply(
            m: outputs.count, n: rows, k: pixels,
            cotangent(operands, image: image, output: outputs.lowerBound, pixel: pixel), columns,
            transposedB: true, beta: 1, into: target)
        }
      }
    }
  }

  /// A task owns some input channels of an image.
  private func addImages(_ operands: BackwardOperands, _ result: UnsafeMutablePointer<Float>) {
    let channels = max(Self.tileRows / window.area, 1)
    let blocks = (depth + channels - 1) / channels
    operands.forEach(batch * groups.count * blocks) { task, scratch in
      let block = task % blocks
      let group = groups[task / blocks % groups.count]
      let image = task / blocks / groups.count
      let row = block * channels * window.area
      let rows = min(channels * window.area, k - row)
      let dx = result + (image * inputChannels + group.firstInput) * window.inputSize
      let weights = Matrix(
        base: operands.inputs[1] + group.outputs.lowerBound * k + row, stride: k)
      for pixel in stride(from: 0, to: window.outputSize, by: Self.tileColumns) {
        let pixels = min(Self.tileColumns, window.outputSize - pixel)
        let dz = cotangent(
          operands, image: image, output: group.outputs.lowerBound, pixel: pixel)
        if window.isPointwise {
          multiply(
            m: rows, n: pixels, k: group.outputs.count, weights, transposedA: true, dz, beta: 1,
            into: Matrix(base: dx + row * window.outputSize + pixel, stride: window.outputSize))
        } else {
          multiply(
            m: rows, n: pixels, k: group.outputs.count, weights, transposedA: true, dz,
            into: Matrix(base: scratch, stride: pixels))
          var window = window
          ck_col2im_add(scratch, &window, row, row + rows, pixel, pixel + pixels, pixels, dx)
        }
      }
    }
  }
}
