package import Foundations
package import Tensors

/// Two-dimensional convolution (cross-correlation, as in ONNX `Conv`).
///
/// A transposed convolution (`ConvTranspose`) is one over a spread operand: with each kernel turned
/// by half a turn, output channels first, and padding that its own padding lessens. So its output
/// channels are divided, coded and scored like those of any other.
package struct Convolution: Sendable, Hashable, Codable {
  /// Kernel height and width.
  package var kernel: Pair
  /// Steps between outputs.
  package var strides: Pair
  /// Steps between kernel taps.
  package var dilations: Pair
  /// Zeros around the input.
  package var padding: Padding
  /// Channels are split into this many independent groups.
  package var groups: Int
  /// Output channels in each group when they differ (a device's share of a grouped convolution);
  /// nil when all groups have equally many. Has `groups` entries.
  package var groupOutputs: [Int]?
  /// Applied to each output.
  package var activation: Activation?
  /// Steps between the operand's cells, zeros in between, before it is padded; nil where it is taken
  /// as it is. Strides are then 1.
  package var spread: Pair?

  /// Makes a convolution; the defaults are those of ONNX.
  package init(
    kernel: Pair, strides: Pair = Pair(1, 1), dilations: Pair = Pair(1, 1),
    padding: Padding = Padding(), groups: Int = 1, groupOutputs: [Int]? = nil,
    activation: Activation? = nil, spread: Pair? = nil
  ) {
    self.kernel = kernel
    self.strides = strides
    self.dilations = dilations
    self.padding = padding
    self.groups = groups
    self.groupOutputs = groupOutputs
    self.activation = activation
    self.spread = spread
  }
}

extension Convolution: OperationFacts {
  package static let kind = "convolution"
  package static let operandCounts = 2...3

  package var operation: Operation { .convolution(self) }

  package func outputShape(_ inputs: [Shape], declared: Shape?) throws(MartletError) -> Shape {
    let (x, weights) = (inputs[0], inputs[1])
    guard x.rank == 4, weights.rank == 4, groups >= 1, groups <= x[1], x[1] % groups == 0,
      weights[1] == x[1] / groups, Pair(weights[2], weights[3]) == kernel
    else { throw mismatch("weights do not fit the operand", inputs) }
    try checkGroups(inputs)
    guard inputs.count < 3 || inputs[2] == [weights[0]] else {
      throw mismatch("the bias does not fit the weights", inputs)
    }
    let (vertical, horizontal) = try windows(x)
    guard vertical.isValid, horizontal.isValid, vertical.floorCount > 0, horizontal.floorCount > 0
    else { throw mismatch("the kernel does not fit into the padded operand", inputs) }
    let shape = try Shape(
      checking: [x[0], weights[0], vertical.floorCount, horizontal.floorCount])
    guard spread == nil || shape.count <= Self.maximumSpreadCount else {
      throw mismatch("a transposed convolution to too many elements", inputs + [shape])
    }
    return shape
  }

  /// Unlike in a model, a device's share may be empty.
  package func check(_ inputs: [Shape], result: Shape) throws(MartletError) {
    try checkCount(of: inputs)
    let (x, weights) = (inputs[0], inputs[1])
    // A device that owns nothing of a depthwise layer has no groups.
    guard x.rank == 4, weights.rank == 4, result.rank == 4,
      ((weights[0] == 0 ? 0 : 1)...1 << 30).contains(groups),
      Pair(weights[2], weights[3]) == kernel,
      x[1] == weights[1] * groups || (groups == 0 && x[1] == 0),
      result[0] == x[0], result[1] == weights[0],
      inputs.count < 3 || inputs[2].count == weights[0]
    else { throw mismatch("operands and result do not fit", inputs + [result]) }
    try checkGroups(inputs)
    let (vertical, horizontal) = try windows(x)
    guard vertical.isComputable, horizontal.isComputable, result[2] == vertical.floorCount,
      result[3] == horizontal.floorCount
    else { throw mismatch("the window does not give this result", inputs + [result]) }
  }

  /// Every group has as many outputs as it says.
  private func checkGroups(_ inputs: [Shape]) throws(MartletError) {
    let outputs = inputs[1][0]
    if let groupOutputs {
      guard groupOutputs.count == groups,
        groupOutputs.allSatisfy({ $0 >= 0 && $0 <= outputs }),
        groupOutputs.reduce(0, +) == outputs
      else { throw mismatch("outputs of groups do not sum to the channels", inputs) }
    } else if groups > 0, outputs % groups != 0 {
      throw mismatch("output channels are no multiple of groups", inputs)
    }
  }

  /// The windows over the rows and the columns of the spread operand.
  private func windows(
    _ x: Shape
  ) throws(MartletError) -> (vertical: WindowAxis, horizontal: WindowAxis) {
    guard let steps = spread else { return padding.axes(x, kernel, strides, dilations) }
    let limit = 1...1 << 20
    guard strides == Pair(1, 1), limit.contains(steps.height), limit.contains(steps.width),
      x[2] <= Self.maximumSpreadExtent, x[3] <= Self.maximumSpreadExtent
    else { throw mismatch("the operand cannot be spread like that", [x]) }
    func reached(_ extent: Int, _ step: Int) -> Int { extent > 0 ? (extent - 1) * step + 1 : 0 }
    return padding.axes(
      Pair(reached(x[2], steps.height), reached(x[3], steps.width)), kernel, strides, dilations)
  }

  /// The largest extent of an operand that is spread.
  private static let maximumSpreadExtent = 1 << 24
  /// The most elements of the result of one.
  private static let maximumSpreadCount = 1 << 28

  package func multiplyAdds(_ inputs: [Shape], result: Shape) -> Int {
    guard inputs.count >= 2, result.rank == 4 else { return 0 }
    // Each cell of the operand meets every filter; what is between them is not multiplied.
    guard spread == nil else {
      return inputs[1].count * inputs[0][0] * inputs[0].innerCount(after: 1)
    }
    // Every output element is a sum over one filter; filters of one group are equally long.
    // Wide padding around a small operand can make the product absurd.
    let (product, overflow) = result.count.multipliedReportingOverflow(
      by: inputs[1].innerCount(after: 0))
    return overflow ? .max : product
  }

  package func keepsBatch(_ operands: [Shape?], result: Shape) -> Bool {
    isOnlyFirstBatched(operands)
  }

  package func channelRule(_ inputs: [Shape], result: Shape) -> ChannelRule {
    isDepthwise(inputs[0], result: result)
      ? .imageChannels : .weighted(count: result[1], axis: 1)
  }

  package func rows(axis: Int, _ inputs: [Shape], result: Shape) -> [RowRule.Operand]? {
    guard axis == 2,
      let window = RowWindow(inputs[0], padding, kernel, strides, dilations, spread: spread)
    else { return nil }
    return leadingRows(inputs, along: 2, .window(window))
  }

  /// Whether each output channel reads the one input channel of the same number.
  func isDepthwise(_ x: Shape, result: Shape) -> Bool {
    groups == x[1] && result[1] == x[1] && x[1] > 1 && groupOutputs == nil
  }
}
