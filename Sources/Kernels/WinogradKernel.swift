import CKernels
import ModelGraph
import Tensors

/// 3x3 convolution at stride 1 by Winograd's F(4x4, 3x3): 36 products of (outputs, depth) by
/// (depth, tiles) matrices between cheap transforms, a quarter of the multiplications.
///
/// The transformed weights take four times the memory and replace the given ones, so this serves
/// only layers with large images, whose weights are few.
struct WinogradKernel: Kernel {
  let batch: Int
  let depth: Int
  let outputs: Int
  let window: ck_window
  let hasBias: Bool
  let activation: Activation?

  /// Tiles in one piece of work, rounded to whole rows of tiles.
  private static let tilesPerBlock = 128

  /// Whether the layer gains. Says nothing about the outputs: a device's part of a layer is computed
  /// in the same way as the whole.
  static func suits(_ convolution: Convolution, depth: Int, output: Shape) -> Bool {
    convolution.kernel == Pair(3, 3) && convolution.strides == Pair(1, 1)
      && convolution.dilations == Pair(1, 1) && convolution.groups == 1 && depth >= 16
      && convolution.spread == nil
      && min(output[2], output[3]) >= 48
  }

  var tilesAcross: Int { (window.out_width + 3) / 4 }
  var tileRows: Int { (window.out_height + 3) / 4 }
  private var rowsPerBlock: Int { min(max(1, Self.tilesPerBlock / tilesAcross), tileRows) }
  /// Tiles of a block in memory, the slack that the transforms write included.
  private var tileStride: Int {
    (rowsPerBlock * tilesAcross + Int(CK_WINOGRAD_LANES) + 15) / 16 * 16
  }

  var scratchCount: Int { Int(CK_WINOGRAD_POINTS) * (depth + outputs) * tileStride }

  var preparation: WeightPreparation? {
    let count = outputs * depth
    return WeightPreparation(
      form: "winograd", input: 1, count: count * Int(CK_WINOGRAD_POINTS)
    ) {
      ck_winograd_weights($0, count, $1)
    }
  }

  func run(_ operands: Operands) {
    let blocks = (tileRows + rowsPerBlock - 1) / rowsPerBlock
    operands.forEach(batch * blocks) { task, scratch in
      let image = task / blocks
      let begin = task % blocks * rowsPerBlock
      let end = min(begin + rowsPerBlock, tileRows)
      let tiles = (end - begin) * tilesAcross
      let stride = tileStride
      var window = window
      let v = scratch
      let m = scratch + Int(CK_WINOGRAD_POINTS) * depth * stride
      ck_winograd_input(
        operands.input(0) + image * depth * window.inputSize, &window, depth, begin, end, v,
        stride)
      for point in 0..<Int(CK_WINOGRAD_POINTS) {
        multiply(
          m: outputs, n: tiles, k: depth,
          Matrix(base: operands.input(1) + point * outputs * depth, stride: depth),
          Matrix(base: UnsafePointer(v) + point * depth * stride, stride: stride),
          into: Matrix(base: m + point * outputs * stride, stride: stride))
      }
      ck_winograd_output(
        m, &window, outputs, begin, end, stride, hasBias ? operands.input(2) : nil, activation.c,
        operands.output + image * outputs * window.outputSize)
    }
  }
}
