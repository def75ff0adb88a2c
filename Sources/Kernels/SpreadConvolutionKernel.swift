package import CKernels
package import ModelGraph
package import Tensors

/// Convolution over a spread operand, such as a transposed convolution: what the cells of the operand
/// add to the result is a product of weights and cells, laid out window by window; the zeros between
/// the cells are not multiplied. V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep
/// learning" (2016), chapter 4.
struct SpreadConvolutionKernel: Kernel {
  let batch: Int
  /// Output channels that are computed together, and which input channels they read.
  let pieces: [ConvolutionKernel.Group]
  /// Input channels of one group.
  let depth: Int
  let inputChannels: Int
  let outputChannels: Int
  /// The same windows seen from the cells: the plane is the result, and the window of each cell lies
  /// before it.
  let window: ck_window
  let hasBias: Bool
  let activation: Activation?
  /// Whether weights may be laid out tap by tap.
  let ownsWeights: Bool

  /// Rows of one product, and its elements.
  private static let tileRows = 256
  private static let tileElements = 1 << 18

  init(
    _ convolution: Convolution, spread: Pair, counts: [Int], inputs: [Shape], output: Shape,
    ownsWeights: Bool
  ) {
    batch = output[0]
    depth = inputs[1][1]
    inputChannels = inputs[0][1]
    outputChannels = output[1]
    window = ck_window(cells: inputs[0], convolution, spread: spread, output: output)
    hasBias = inputs.count > 2
    activation = convolution.activation
    self.ownsWeights = ownsWeights
    let together = max(Self.tileRows / window.area, 1)
    var pieces: [ConvolutionKernel.Group] = []
    var first = 0
    for (group, count) in counts.enumerated() {
      for start in stride(from: first, to: first + count, by: together) {
        pieces.append(
          .init(
            firstInput: group * depth, outputs: start..<min(start + together, first + count)))
      }
      first += count
    }
    self.pieces = pieces
  }

  private var tileColumns: Int {
    let rows = max(Self.tileRows, window.area)
    return min(max(Self.tileElements / rows, 16), window.outputSize)
  }

  var scratchCount: Int {
    (pieces.map(\.outputs.count).max() ?? 0) * window.area * tileColumns
  }

  var preparation: WeightPreparation? {
    guard ownsWeights else { return nil }
    let (outputs, depth, area) = (outputChannels, depth, window.area)
    return WeightPreparation(form: "taps", input: 1, count: outputs * depth * area) { given, taps in
      for output in 0..<outputs {
        ck_transpose(given + output * depth * area, taps + output * depth * area, depth, area)
      }
    }
  }

  func run(_ operands: Operands) {
    operands.forEach(batch * pieces.count) { task, scratch in
      compute(operands, scratch, image: task / pieces.count, pieces[task % pieces.count])
    }
  }

  private func compute(
    _ operands: Operands, _ scratch: UnsafeMutablePointer<Float>, image: Int,
    _ piece: ConvolutionKernel.Group
  ) {
    let (count, area, cells) = (piece.outputs.count, window.area, window.outputSize)
    let x = operands.input(0) + (image * inputChannels + piece.firstInput) * cells
    let w = operands.input(1) + piece.outputs.lowerBound * depth * area
    let y =
      operands.output + (image * outputChannels + piece.outputs.lowerBound) * window.inputSize
    var window = window
    ck_fill(y, count * window.inputSize, 0)
    for first in stride(from: 0, to: cells, by: tileColumns) {
      let columns = min(tileColumns, cells - first)
      let b = Matrix(base: x + first, stride: cells)
      if ownsWeights {
        multiply(
          m: count * area, n: columns, k: depth, Matrix(base: w, stride: depth), b,
          into: Matrix(base: scratch, stride: columns))
      } else {
        for output in 0..<count {
          multiply(
            m: area, n: columns, k: depth,
            Matrix(base: w + output * depth * area, stride: area), transposedA: true, b,
            into: Matrix(base: scratch + output * area * columns, stride: columns))
        }
      }
      ck_col2im_add(scratch, &window, 0, count * area, first, first + columns, columns, y)
    }
    ck_bias_activate_rows(
      y, count, window.inputSize, window.inputSize,
      hasBias ? operands.input(2) + piece.outputs.lowerBound : nil, activation.c)
  }
}

extension ck_window {
  /// The windows of a convolution over a spread operand as seen from the operand's cells, which are
  /// the outputs here: cell i and tap t belong to element i * spread - t * dilation + padding of the
  /// result.
  package init(cells x: Shape, _ convolution: Convolution, spread: Pair, output: Shape) {
    self.init(
      height: output[2], width: output[3], out_height: x[2], out_width: x[3],
      kernel_height: convolution.kernel.height, kernel_width: convolution.kernel.width,
      stride_height: spread.height, stride_width: spread.width,
      dilation_height: -convolution.dilations.height,
      dilation_width: -convolution.dilations.width, top: -convolution.padding.top,
      left: -convolution.padding.left)
  }
}
