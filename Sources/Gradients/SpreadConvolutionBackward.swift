import CKernels
import Kernels
import ModelGraph
import Tensors

/// Convolution over a spread operand: seen from the operand's cells it is the reverse of a strided
/// one, so dx = w im2col(dz) and dw = x im2col(dz)^T, output channel by output channel.
struct SpreadConvolutionBackward: BackwardKernel {
  private let batch: Int
  /// By output channel, the first input channel that it reads.
  private let sources: [Int]
  /// Groups as their first input channel and their output channels.
  private let groups: [(firstInput: Int, outputs: Range<Int>)]
  /// Input channels of one group.
  private let depth: Int
  private let inputChannels: Int
  private let outputChannels: Int
  /// Planes are those of the result, outputs the operand's cells.
  private let window: ck_window
  private let activation: Activation?

  /// Cells in one product.
  private static let tileColumns = 1024

  init(_ convolution: Convolution, spread: Pair, _ inputs: [Shape], _ output: Shape) {
    window = ck_window(cells: inputs[0], convolution, spread: spread, output: output)
    batch = output[0]
    depth = inputs[1][1]
    inputChannels = inputs[0][1]
    outputChannels = output[1]
    activation = convolution.activation
    let counts =
      convolution.groupOutputs
      ?? [Int](repeating: output[1] / convolution.groups, count: convolution.groups)
    var groups: [(firstInput: Int, outputs: Range<Int>)] = []
    var first = 0
    for (group, count) in counts.enumerated() {
      groups.append((group * inputs[1][1], first..<first + count))
      first += count
    }
    self.groups = groups.filter { !$0.outputs.isEmpty }
    sources = groups.flatMap { [Int](repeating: $0.firstInput, count: $0.outputs.count) }
  }

  var scratchCount: Int { window.area * min(Self.tileColumns, window.outputSize) }

  func run(_ operands: BackwardOperands) {
    guard batch > 0, outputChannels > 0 else { return }
    if activation != nil {
      operands.forEachPiece(batch * outputChannels * window.inputSize) {
        ck_activation_gradient_from_result(
          operands.output + $0, operands.cotangent + $0, $1, activation.c)
      }
    }
    if operands.gradients.count > 2, let bias = operands.gradients[2] {
      operands.forEach(outputChannels) { output, _ in
        for image in 0..<batch {
          bias[output] += ck_reduce(
            cotangent(operands, image: image, output), window.inputSize, Int32(CK_SUM))
        }
      }
    }
    guard depth > 0 else { return }
    if let weights = operands.gradients[1] { addWeights(operands, weights) }
    if let cells = operands.gradients[0] { addCells(operands, cells) }
  }

  private func cotangent(
    _ operands: BackwardOperands, image: Int, _ output: Int
  ) -> UnsafePointer<Float> {
    UnsafePointer(operands.cotangent) + (image * outputChannels + output) * window.inputSize
  }

  /// For each tile of cells, what they added to of one channel of the result: rows are taps.
  private func forEachTile(
    _ operands: BackwardOperands, image: Int, output: Int, _ scratch: UnsafeMutablePointer<Float>,
    _ body: (_ columns: Matrix<UnsafePointer<Float>>, _ first: Int, _ count: Int) -> Void
  ) {
    var window = window
    for first in stride(from: 0, to: window.outputSize, by: Self.tileColumns) {
      let count = min(Self.tileColumns, window.outputSize - first)
      ck_im2col(
        cotangent(operands, image: image, output), &window, 0, window.area, first, first + count,
        scratch, count)
      body(Matrix(base: UnsafePointer(scratch), stride: count), first, count)
    }
  }

  /// A task owns the weights of an output channel and goes through all images.
  private func addWeights(_ operands: BackwardOperands, _ weights: UnsafeMutablePointer<Float>) {
    let (area, cells) = (window.area, window.outputSize)
    operands.forEach(outputChannels) { output, scratch in
      let target = Matrix(base: weights + output * depth * area, stride: area)
      for image in 0..<batch {
        let x = operands.inputs[0] + (image * inputChannels + sources[output]) * cells
        forEachTile(operands, image: image, output: output, scratch) { columns, first, count in
          multiply(
            m: depth, n: area, k: count, Matrix(base: x + first, stride: cells), columns,
            transposedB: true, beta: 1, into: target)
        }
      }
    }
  }

  /// A task owns the input channels of a group of an image.
  private func addCells(_ operands: BackwardOperands, _ result: UnsafeMutablePointer<Float>) {
    let (area, cells) = (window.area, window.outputSize)
    operands.forEach(batch * groups.count) { task, scratch in
      let image = task / groups.count
      let group = groups[task % groups.count]
      let dx = result + (image * inputChannels + group.firstInput) * cells
      for output in group.outputs {
        let w = Matrix(base: operands.inputs[1] + output * depth * area, stride: area)
        forEachTile(operands, image: image, output: output, scratch) { columns, first, count in
          multiply(
            m: depth, n: count, k: area, w, columns, beta: 1,
            into: Matrix(base: dx + first, stride: cells))
        }
      }
    }
  }
}
