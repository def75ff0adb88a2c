import Foundations
import Kernels
import ModelGraph
import Tensors
import TestSupport
import Testing

@Suite struct WindowTests {
  /// Smooth ones can be compared by finite differences whatever the values are.
  static let activations: [Activation?] = [nil, .sigmoid, .tanh, .silu, .gelu]

  struct Window {
    var input, kernel, strides, dilations: Pair
    var padding: Padding
    var output: Pair

    init(_ random: inout SeededGenerator, ceiling: Bool = false) {
      while true {
        input = Pair(random.int(1...7), random.int(1...9))
        kernel = Pair(random.int(1...4), random.int(1...5))
        strides = Pair(random.int(1...3), random.int(1...4))
        dilations = Pair(random.pick([1, 1, 2]), random.pick([1, 1, 3]))
        padding = Padding(
          random.int(0...2), random.int(0...2), random.int(0...2), random.int(0...2))
        if random.int(0...3) == 0 {
          kernel = Pair(1, 1)
          padding = Padding()
          strides = Pair(1, 1)
        }
        let height =
          input.height + padding.top + padding.bottom - (kernel.height - 1) * dilations.height - 1
        let width =
          input.width + padding.left + padding.right - (kernel.width - 1) * dilations.width - 1
        guard height >= 0, width >= 0 else { continue }
        let up = Pair(ceiling ? strides.height - 1 : 0, ceiling ? strides.width - 1 : 0)
        output = Pair(
          (height + up.height) / strides.height + 1, (width + up.width) / strides.width + 1)
        return
      }
    }
  }

  @Test(arguments: 0..<40)
  func convolution(seed: Int) throws {
    var random = SeededGenerator(seed)
    let groups = random.pick([1, 1, 2, 3])
    let isDepthwise = random.int(0...2) == 0
    let depth = isDepthwise ? 1 : random.int(1...4)
    var groupOutputs: [Int]?
    var outputs = groups * random.int(1...4)
    if random.int(0...2) == 0 {
      let counts = (0..<groups).map { _ in random.int(0...3) }
      groupOutputs = counts
      outputs = counts.reduce(0, +)
    }
    let window = Window(&random)
    let batch = random.int(1...3)
    let operands =
      [
        random.tensor([batch, groups * depth, window.input.height, window.input.width]),
        random.tensor([outputs, depth, window.kernel.height, window.kernel.width]),
      ] + (random.int(0...1) == 0 ? [] : [random.tensor([outputs])])
    try expectDerivative(
      .convolution(
        Convolution(
          kernel: window.kernel, strides: window.strides, dilations: window.dilations,
          padding: window.padding, groups: groups, groupOutputs: groupOutputs,
          activation: random.pick(Self.activations))), operands,
      output: [batch, outputs, window.output.height, window.output.width], seed: seed,
      constants: [1, 2])
  }

  @Test(arguments: 0..<30)
  func `convolution of a spread operand`(seed: Int) throws {
    var random = SeededGenerator(seed)
    let spread = Pair(random.int(1...3), random.int(1...3))
    let input = Pair(random.int(1...5), random.int(1...6))
    let kernel = Pair(random.int(1...3), random.int(1...4))
    let dilations = Pair(random.pick([1, 1, 2]), random.pick([1, 1, 3]))
    let padding = Padding(
      random.int(0...3), random.int(0...3), random.int(0...3), random.int(0...3))
    let height =
      (input.height - 1) * spread.height + 1 + padding.top + padding.bottom
      - (kernel.height - 1) * dilations.height
    let width =
      (input.width - 1) * spread.width + 1 + padding.left + padding.right
      - (kernel.width - 1) * dilations.width
    guard height > 0, width > 0 else { return }
    let groups = random.pick([1, 1, 2, 3])
    let (depth, each, batch) = (random.int(1...3), random.int(1...3), random.int(1...2))
    let operands =
      [
        random.tensor([batch, groups * depth, input.height, input.width]),
        random.tensor([groups * each, depth, kernel.height, kernel.width]),
      ] + (random.int(0...1) == 0 ? [] : [random.tensor([groups * each])])
    try expectDerivative(
      .convolution(
        Convolution(
          kernel: kernel, dilations: dilations, padding: padding, groups: groups,
          activation: random.pick(Self.activations), spread: spread)),
      operands, output: [batch, groups * each, height, width], seed: seed, constants: [1, 2])
  }

  /// Several tiles of pixels, blocks of rows and blocks of outputs.
  @Test(arguments: [1, 3])
  func `convolution of many tiles`(kernel: Int) throws {
    var random = SeededGenerator(kernel)
    let pad = kernel / 2
    let operands = [random.tensor([2, 300, 31, 35]), random.tensor([140, 300, kernel, kernel])]
    try expectDerivative(
      .convolution(Convolution(kernel: Pair(kernel, kernel), padding: Padding(pad, pad, pad, pad))),
      operands, output: [2, 140, 31, 35], seed: kernel, constants: [1], step: 0.5)
  }

  @Test(arguments: 0..<40)
  func pooling(seed: Int) throws {
    var random = SeededGenerator(seed)
    let window = Window(&random, ceiling: seed % 2 == 0)
    let planes: Shape = [random.int(1...2), random.int(1...3)]
    let x = random.gridTensor([planes[0], planes[1], window.input.height, window.input.width])
    let pooling = ModelGraph.Operation.pooling(
      Pooling(
        kind: seed % 4 < 2 ? .maximum : .average, kernel: window.kernel, strides: window.strides,
        dilations: window.dilations, padding: window.padding,
        countsPadding: random.int(0...1) == 0))
    let output: Shape = [planes[0], planes[1], window.output.height, window.output.width]
    let values = try Execution(Program(Graph(pooling, [x], output: output, constants: [])))
      .run(inputs: [x])[0].floats
    // A window of padding alone has no largest element.
    guard values?.allSatisfy(\.isFinite) ?? false else { return }
    try expectDerivative(pooling, [x], output: output, seed: seed)
  }
}
