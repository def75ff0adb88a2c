package import CKernels
package import ModelGraph
package import Tensors

extension ck_window {
  package init(
    _ x: Shape, _ output: Shape, kernel: Pair, strides: Pair, dilations: Pair, padding: Padding
  ) {
    self.init(
      height: x[2], width: x[3], out_height: output[2], out_width: output[3],
      kernel_height: kernel.height, kernel_width: kernel.width, stride_height: strides.height,
      stride_width: strides.width, dilation_height: dilations.height,
      dilation_width: dilations.width, top: padding.top, left: padding.left)
  }

  package var outputSize: Int { out_height * out_width }
  package var inputSize: Int { height * width }
  package var area: Int { kernel_height * kernel_width }

  /// Whether each output pixel reads exactly the input pixel at its own place.
  package var isPointwise: Bool {
    area == 1 && stride_height == 1 && stride_width == 1 && top == 0 && left == 0
      && height == out_height && width == out_width
  }
}

/// Convolution as a matrix product over im2col tiles. A tile's columns are output pixels and its
/// rows a block of (channel, kernel row, kernel column), so that it stays in cache however large
/// the layer is; pointwise convolutions multiply the image itself.
struct ConvolutionKernel: Kernel {
  let batch: Int
  let groups: [Group]
  /// Input channels of one group.
  let depth: Int
  let inputChannels: Int
  let outputChannels: Int
  let window: ck_window
  let hasBias: Bool
  let activation: Activation?
  var weightType = ElementType.float32

  /// Which outputs read which input channels.
  struct Group: Sendable {
    let firstInput: Int
    let outputs: Range<Int>
  }

  /// Output pixels in one piece of work.
  private static let tileColumns = 1024
  /// Rows of the im2col matrix in one product.
  static let tileRows = 256
  /// Output pixels and channels in one piece of work over several images.
  private static let wideColumns = 512
  private static let wideOutputs = 256

  var k: Int { depth * window.area }

  /// Images whose pixels make up one tile; several where an image alone is too small for an
  /// efficient product.
  private var imagesPerTile: Int {
    min(batch, max(1, Self.wideColumns / max(window.outputSize, 1)))
  }

  /// Whether all weights are used once, so that they are best widened in registers.
  private var isVector: Bool {
    weightType != .float32 && batch == 1 && window.outputSize == 1
  }

  private var tileCount: Int {
    let images = imagesPerTile
    if images > 1 {
      return (min(Self.tileRows, k) + min(Self.wideOutputs, outputChannels)) * images
        * window.outputSize
    }
    if window.isPointwise { return 0 }
    return isVector ? k : min(Self.tileRows, k) * min(Self.tileColumns, window.outputSize)
  }

  /// The window matrix, and behind it what is widened of the weights.
  var scratchCount: Int {
    tileCount
      + (isVector ? 0 : WeightMatrix.panelCount(weightType, rows: outputChannels, columns: k))
  }

  func run(_ operands: Operands) {
    if imagesPerTile > 1 { return runWide(operands) }
    let columns = Self.tileColumns
    let tiles = (window.outputSize + columns - 1) / columns
    let pieces = batch * groups.count * tiles
    // Small images have too few tiles for all threads: then the outputs are shared out too.
    let blocks = pieces < operands.lanes ? operands.lanes : 1
    operands.forEach(pieces * blocks) { task, scratch in
      let tile = task / blocks % tiles
      let group = groups[task / blocks / tiles % groups.count]
      let image = task / blocks / tiles / groups.count
      let outputs = group.outputs.piece(task % blocks, of: blocks, alignment: 16)
      guard !outputs.isEmpty else { return }
      let start = tile * columns
      compute(
        operands, scratch, image: image,
        group: Group(firstInput: group.firstInput, outputs: outputs),
        pixels: start..<min(start + columns, window.outputSize))
    }
  }

  private func compute(
    _ operands: Operands, _ scratch: UnsafeMutablePointer<Float>, image: Int, group: Group,
    pixels: Range<Int>
  ) {
    let x = operands.input(0) + (image * inputChannels + group.firstInput) * window.inputSize
    let w = operands.weights(columns: k)
    let size = window.outputSize
    let y =
      operands.output + (image * outputChannels + group.outputs.lowerBound) * size
      + pixels.lowerBound
    let bias = hasBias ? operands.input(2) + group.outputs.lowerBound : nil
    var window = window
    if isVector {
      if !window.isPointwise { ck_im2col(x, &window, 0, k, 0, 1, scratch, 1) }
      let column = window.isPointwise ? x : UnsafePointer(scratch)
      return w.multiply(group.outputs, column, bias: bias, activation.c, into: y)
    }
    let rowsAtATime = window.isPointwise ? w.columnsAtATime : Self.tileRows
    var row = 0
    repeat {
      let rows = row..<min(row + rowsAtATime, k)
      var columns = Matrix(base: x + row * size + pixels.lowerBound, stride: size)
      if !window.isPointwise {
        ck_im2col(
          x, &window, row, rows.upperBound, pixels.lowerBound, pixels.upperBound, scratch,
          pixels.count)
        columns = Matrix(base: UnsafePointer(scratch), stride: pixels.count)
      }
      w.forEachPanel(rows: group.outputs, columns: rows, scratch + tileCount) { outputs, panel in
        multiply(
          m: outputs.count, n: pixels.count, k: rows.count, panel, columns,
          beta: row == 0 ? 0 : 1,
          into: Matrix(
            base: y + (outputs.lowerBound - group.outputs.lowerBound) * size, stride: size))
      }
      row = rows.upperBound
    } while row < k
    ck_bias_activate_rows(y, group.outputs.count, pixels.count, size, bias, activation.c)
  }
}

extension ConvolutionKernel {
  /// Several small images side by side as the columns of one product, whose rows are then handed
  /// back to the images.
  private func runWide(_ operands: Operands) {
    let most = groups.map(\.outputs.count).max() ?? 0
    let blocks = (most + Self.wideOutputs - 1) / Self.wideOutputs
    let tiles = (batch + imagesPerTile - 1) / imagesPerTile
    operands.forEach(tiles * groups.count * blocks) { task, scratch in
      let group = groups[task / blocks % groups.count]
      let outputs = group.outputs.piece(task % blocks, of: blocks, alignment: 16)
      guard !outputs.isEmpty else { return }
      let first = task / blocks / groups.count * imagesPerTile
      computeWide(
        operands, scratch, images: first..<min(first + imagesPerTile, batch),
        group: Group(firstInput: group.firstInput, outputs: outputs))
    }
  }

  private func computeWide(
    _ operands: Operands, _ scratch: UnsafeMutablePointer<Float>, images: Range<Int>, group: Group
  ) {
    let w = operands.weights(columns: k)
    let size = window.outputSize
    let columns = images.count * size
    let result = scratch + min(Self.tileRows, k) * columns
    var window = window
    var row = 0
    repeat {
      let rows = row..<min(row + Self.tileRows, k)
      for (place, image) in images.enumerated() {
        let x = operands.input(0) + (image * inputChannels + group.firstInput) * window.inputSize
        if window.isPointwise {
          ck_copy_rows(x + row * size, size, scratch + place * size, columns, rows.count, size)
        } else {
          ck_im2col(x, &window, row, rows.upperBound, 0, size, scratch + place * size, columns)
        }
      }
      w.forEachPanel(rows: group.outputs, columns: rows, scratch + tileCount) { outputs, panel in
        multiply(
          m: outputs.count, n: columns, k: rows.count, panel,
          Matrix(base: UnsafePointer(scratch), stride: columns), beta: row == 0 ? 0 : 1,
          into: Matrix(
            base: result + (outputs.lowerBound - group.outputs.lowerBound) * columns,
            stride: columns))
      }
      row = rows.upperBound
    } while row < k
    for (place, image) in images.enumerated() {
      ck_bias_activate_copy(
        result + place * size, columns, group.outputs.count, size,
        hasBias ? operands.input(2) + group.outputs.lowerBound : nil, activation.c,
        operands.output + (image * outputChannels + group.outputs.lowerBound) * size)
    }
  }
}

extension Range<Int> {
  /// One of `pieces` nearly equal parts whose bounds are multiples of `alignment` from the start.
  package func piece(_ index: Int, of pieces: Int, alignment: Int) -> Range<Int> {
    let units = (count + alignment - 1) / alignment
    func bound(_ index: Int) -> Int {
      Swift.min(lowerBound + units * index / pieces * alignment, upperBound)
    }
    return bound(index)..<bound(index + 1)
  }
}

extension Convolution: KernelMaking {
  func makeKernel(_ site: KernelSite) -> any Kernel {
    let (inputs, output) = (site.inputs, site.output)
    let window = ck_window(
      inputs[0], output, kernel: kernel, strides: strides, dilations: dilations, padding: padding)
    let depth = inputs[1][1]
    let hasBias = inputs.count > 2
    let counts = groupOutputs ?? [Int](repeating: output[1] / groups, count: groups)
    if let spread {
      return SpreadConvolutionKernel(
        self, spread: spread, counts: counts, inputs: inputs, output: output,
        ownsWeights: site.ownsWeights)
    }
    if depth == 1, groups > 1 {
      return DepthwiseKernel(
        batch: output[0], inputChannels: inputs[0][1],
        sources: counts.enumerated().flatMap { [Int](repeating: $0, count: $1) }, window: window,
        hasBias: hasBias, activation: activation)
    }
    if site.ownsWeights, WinogradKernel.suits(self, depth: depth, output: output) {
      return WinogradKernel(
        batch: output[0], depth: depth, outputs: output[1], window: window, hasBias: hasBias,
        activation: activation)
    }
    var parts: [ConvolutionKernel.Group] = []
    var first = 0
    for (group, count) in counts.enumerated() {
      if count > 0 {
        parts.append(.init(firstInput: group * depth, outputs: first..<first + count))
      }
      first += count
    }
    return ConvolutionKernel(
      batch: output[0], groups: parts, depth: depth, inputChannels: inputs[0][1],
      outputChannels: output[1], window: window, hasBias: hasBias, activation: activation,
      weightType: inputs[1].count > 0 ? site.weightType : .float32)
  }
}
