import Foundations
import ModelGraph
import Tensors
import TestSupport
import Testing

@Suite struct WindowTests {
  static let activations: [Activation?] = [
    nil, .relu, .clip(minimum: 0, maximum: 6), .leakyRelu(slope: 0.1), .sigmoid, .tanh, .silu,
    .gelu, .hardSigmoid(slope: 0.2, offset: 0.5), .hardSwish, .elu(slope: 1.5),
    .selu(slope: 1.67, scale: 1.05), .celu(slope: 0.5), .softplus, .mish, .softsign,
  ]

  /// Those that stand alone, too: products that round differently may lie on both sides of a threshold.
  static let functions = activations.compactMap { $0 } + [.thresholdedRelu(threshold: 0.5)]

  struct Window {
    var input, kernel, strides, dilations: Pair
    var padding: Padding
    var output: Pair

    init(_ random: inout SeededGenerator, ceiling: Bool) {
      while true {
        input = Pair(random.int(1...20), random.int(1...40))
        kernel = Pair(random.int(1...5), random.int(1...7))
        strides = Pair(random.int(1...3), random.int(1...4))
        dilations = Pair(random.pick([1, 1, 2, 3]), random.pick([1, 1, 2, 3]))
        padding = Padding(
          random.int(0...2), random.int(0...3), random.int(0...2), random.int(0...3))
        if random.int(0...3) == 0 { padding = Padding() }
        if random.int(0...4) == 0 {
          kernel = Pair(1, 1)
          if random.int(0...1) == 0 {
            padding = Padding()
            strides = Pair(1, 1)
          }
        }
        let height =
          input.height + padding.top + padding.bottom
          - (kernel.height - 1) * dilations.height - 1
        let width =
          input.width + padding.left + padding.right
          - (kernel.width - 1) * dilations.width - 1
        guard height >= 0, width >= 0 else { continue }
        let up = Pair(
          ceiling ? strides.height - 1 : 0, ceiling ? strides.width - 1 : 0)
        output = Pair(
          (height + up.height) / strides.height + 1, (width + up.width) / strides.width + 1)
        return
      }
    }
  }

  @Test(arguments: 0..<160)
  func convolution(seed: Int) throws {
    var random = SeededGenerator(seed)
    let window = Window(&random, ceiling: false)
    let groups = random.pick([1, 1, 2, 3])
    let depth = random.int(1...6)
    var groupOutputs: [Int]?
    var outputs = groups * random.int(0...9)
    if random.int(0...2) == 0 {
      let counts = (0..<groups).map { _ in random.int(0...5) }
      groupOutputs = counts
      outputs = counts.reduce(0, +)
    }
    try check(window, &random, groups, depth, outputs, groupOutputs, seed)
  }

  @Test(arguments: 0..<120)
  func depthwiseConvolution(seed: Int) throws {
    var random = SeededGenerator(seed)
    let window = Window(&random, ceiling: false)
    let groups = random.int(2...6)
    let counts = (0..<groups).map { _ in random.int(0...2) }
    let isEven = random.int(0...1) == 0
    try check(
      window, &random, groups, 1, isEven ? groups * random.int(1...2) : counts.reduce(0, +),
      isEven ? nil : counts, seed)
  }

  private func check(
    _ window: Window, _ random: inout SeededGenerator, _ groups: Int, _ depth: Int,
    _ outputs: Int, _ groupOutputs: [Int]?, _ seed: Int
  ) throws {
    let batch = random.int(1...2)
    let x = random.tensor([batch, groups * depth, window.input.height, window.input.width])
    let w = random.tensor([outputs, depth, window.kernel.height, window.kernel.width])
    let convolution = Convolution(
      kernel: window.kernel, strides: window.strides, dilations: window.dilations,
      padding: window.padding, groups: groups, groupOutputs: groupOutputs,
      activation: random.pick(Self.activations))
    let operands = [x, w] + (random.int(0...1) == 0 ? [] : [random.tensor([outputs])])
    try expectMatch(
      .convolution(convolution), operands,
      output: [batch, outputs, window.output.height, window.output.width], constants: [1, 2],
      seed: seed)
  }

  /// Over a spread operand, as transposed convolutions are; with weights of its own or not.
  @Test(arguments: 0..<120)
  func spreadConvolution(seed: Int) throws {
    var random = SeededGenerator(seed)
    let spread = Pair(random.int(1...3), random.int(1...4))
    let input = Pair(random.int(1...9), random.int(1...11))
    let kernel = Pair(random.int(1...4), random.int(1...5))
    let dilations = Pair(random.pick([1, 1, 2, 3]), random.pick([1, 1, 2]))
    let padding = Padding(
      random.int(0...4), random.int(0...4), random.int(0...4), random.int(0...4))
    let height =
      (input.height - 1) * spread.height + 1 + padding.top + padding.bottom
      - (kernel.height - 1) * dilations.height
    let width =
      (input.width - 1) * spread.width + 1 + padding.left + padding.right
      - (kernel.width - 1) * dilations.width
    guard height > 0, width > 0 else { return }
    let groups = random.pick([1, 1, 2, 3])
    let depth = random.int(1...5)
    var counts: [Int]?
    var outputs = groups * random.int(1...5)
    if random.int(0...2) == 0 {
      let each = (0..<groups).map { _ in random.int(0...4) }
      counts = each
      outputs = each.reduce(0, +)
    }
    let batch = random.int(1...2)
    let operands =
      [
        random.tensor([batch, groups * depth, input.height, input.width]),
        random.tensor([outputs, depth, kernel.height, kernel.width]),
      ] + (random.int(0...1) == 0 ? [] : [random.tensor([outputs])])
    try expectMatch(
      .convolution(
        Convolution(
          kernel: kernel, dilations: dilations, padding: padding, groups: groups,
          groupOutputs: counts, activation: random.pick(Self.activations), spread: spread)),
      operands, output: [batch, outputs, height, width], constants: seed % 3 == 0 ? [] : [1, 2],
      seed: seed)
  }

  /// More cells and more output channels than one product has.
  @Test(arguments: [[], [1]] as [Set<Int>])
  func spreadConvolutionOfManyTiles(constants: Set<Int>) throws {
    var random = SeededGenerator(5)
    try expectMatch(
      .convolution(
        Convolution(kernel: Pair(2, 2), padding: Padding(1, 1, 1, 1), spread: Pair(2, 2))),
      [random.tensor([1, 5, 40, 41]), random.tensor([70, 5, 2, 2])], output: [1, 70, 80, 82],
      constants: constants, seed: 5)
  }

  /// More rows and columns than one tile of the product holds.
  @Test(arguments: [1, 3])
  func convolutionOfManyTiles(kernel: Int) throws {
    var random = SeededGenerator(kernel)
    let x = random.tensor([1, 70, 30, 41])
    let w = random.tensor([9, 70, kernel, kernel])
    let pad = kernel / 2
    try expectMatch(
      .convolution(
        Convolution(kernel: Pair(kernel, kernel), padding: Padding(pad, pad, pad, pad))),
      [x, w], output: [1, 9, 30, 41], constants: [1], tolerance: 1e-5, seed: kernel)
  }

  /// Small images of one batch side by side in one product, the last one with fewer images.
  @Test(arguments: [1, 3], [1, 2])
  func convolutionOfManySmallImages(kernel: Int, groups: Int) throws {
    var random = SeededGenerator(kernel * 10 + groups)
    let pad = kernel / 2
    let x = random.tensor([23, 150 * groups, 7, 7])
    let w = random.tensor([300 * groups, 150, kernel, kernel])
    try expectMatch(
      .convolution(
        Convolution(
          kernel: Pair(kernel, kernel), padding: Padding(pad, pad, pad, pad), groups: groups,
          activation: .relu)),
      [x, w, random.tensor([300 * groups])], output: [23, 300 * groups, 7, 7],
      constants: [1, 2], tolerance: 1e-5, seed: kernel)
  }

  /// Large images at stride 1 go through Winograd's algorithm: widths that are no multiple of its
  /// tile, padding on some sides only, rows of tiles longer than a vector, parts of a layer. Its
  /// rounding errors are some 1e-5 of the products, more beside the output of a saturating activation.
  @Test(arguments: 0..<16)
  func winogradConvolution(seed: Int) throws {
    var random = SeededGenerator(seed)
    let padding = Padding(
      random.int(0...1), random.int(0...1), random.int(0...1), random.int(0...1))
    let (height, width) = (random.int(50...61), random.int(50...90))
    let output: Shape = [
      random.int(1...2), random.pick([0, 1, 5]), height + padding.top + padding.bottom - 2,
      width + padding.left + padding.right - 2,
    ]
    let x = random.tensor([output[0], 16, height, width])
    let w = random.tensor([output[1], 16, 3, 3])
    let convolution = Convolution(
      kernel: Pair(3, 3), padding: padding, activation: random.pick(Self.activations))
    try expectMatch(
      .convolution(convolution), [x, w, random.tensor([output[1]])], output: output,
      constants: [1, 2], tolerance: 1e-4, seed: seed)
    // Computed or shared weights cannot be transformed beforehand.
    if seed % 8 == 0 {
      try expectMatch(
        .convolution(convolution), [x, w, random.tensor([output[1]])], output: output,
        tolerance: 1e-4, seed: seed)
    }
  }

  @Test(arguments: 0..<160)
  func pooling(seed: Int) throws {
    var random = SeededGenerator(seed)
    var window = Window(&random, ceiling: seed % 2 == 0)
    if seed % 8 == 1 {
      window.kernel = window.input
      window.padding = Padding()
      window.dilations = Pair(1, 1)
      window.output = Pair(1, 1)
    }
    let planes: Shape = [random.int(1...2), random.int(0...3)]
    let pooling = Pooling(
      kind: random.pick([.maximum, .average]), kernel: window.kernel, strides: window.strides,
      dilations: window.dilations, padding: window.padding,
      countsPadding: random.int(0...1) == 0)
    let x = random.tensor([planes[0], planes[1], window.input.height, window.input.width])
    try expectMatch(
      .pooling(pooling), [x],
      output: [planes[0], planes[1], window.output.height, window.output.width], seed: seed)
  }
}
