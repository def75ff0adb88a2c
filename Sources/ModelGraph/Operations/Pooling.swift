package import Foundations
package import Tensors

/// Maximum or average over windows.
package struct Pooling: Sendable, Hashable, Codable {
  /// What is taken over a window.
  package enum Kind: String, Sendable, Codable {
    /// The largest element; padding never wins.
    case maximum
    /// The mean of the elements.
    case average
  }
  /// Maximum or average.
  package var kind: Kind
  /// Window height and width.
  package var kernel: Pair
  /// Steps between windows.
  package var strides: Pair
  /// Steps between taps.
  package var dilations: Pair
  /// Padding around the input. With ceiling mode the last window may reach beyond it.
  package var padding: Padding
  /// Whether padding counts in the divisor of an average (cells beyond the padding never count).
  package var countsPadding: Bool

  // "kind" is the operation's own key in the flat form that plans use.
  private enum CodingKeys: String, CodingKey {
    case kind = "function"
    case kernel, strides, dilations, padding, countsPadding
  }

  /// Makes a pooling; the defaults are those of ONNX. The output shape is the value's, so ceiling
  /// mode needs no flag.
  package init(
    kind: Kind, kernel: Pair, strides: Pair = Pair(1, 1), dilations: Pair = Pair(1, 1),
    padding: Padding = Padding(), countsPadding: Bool = false
  ) {
    self.kind = kind
    self.kernel = kernel
    self.strides = strides
    self.dilations = dilations
    self.padding = padding
    self.countsPadding = countsPadding
  }

  /// The result's shape in ceiling mode, where the last window may hang over the end.
  ///
  /// - Throws: `.invalidShape` when the operand is no image or the window does not fit.
  package func ceilingShape(_ x: Shape) throws(MartletError) -> Shape {
    guard x.rank == 4 else {
      throw MartletError(.invalidShape, "the operand is no image", context: ["operand": "\(x)"])
    }
    let (vertical, horizontal) = padding.axes(x, kernel, strides, dilations)
    guard vertical.isValid, horizontal.isValid else {
      throw MartletError(.invalidShape, "the window is too large", context: ["operand": "\(x)"])
    }
    return try Shape(
      checking: [x[0], x[1], vertical.ceilingCount, horizontal.ceilingCount])
  }
}

extension Pooling: OperationFacts {
  package static let kind = "pooling"

  package var operation: Operation { .pooling(self) }

  package var label: String { "\(kind.rawValue)Pooling" }

  package func outputShape(_ inputs: [Shape], declared: Shape?) throws(MartletError) -> Shape {
    let x = inputs[0]
    guard x.rank == 4 else { throw mismatch("the operand is no image", [x]) }
    let (vertical, horizontal) = padding.axes(x, kernel, strides, dilations)
    guard vertical.isValid, horizontal.isValid, vertical.floorCount > 0, horizontal.floorCount > 0
    else { throw mismatch("the window does not fit into the padded operand", [x]) }
    func chosen(_ axis: WindowAxis, _ position: Int) -> Int {
      guard let declared, declared.rank == 4, declared[position] == axis.ceilingCount else {
        return axis.floorCount
      }
      return axis.ceilingCount
    }
    return try Shape(checking: [x[0], x[1], chosen(vertical, 2), chosen(horizontal, 3)])
  }

  /// Unlike in a model, a result may be empty, and its last window may start beyond the operand.
  package func check(_ inputs: [Shape], result: Shape) throws(MartletError) {
    try checkCount(of: inputs)
    let x = inputs[0]
    guard x.rank == 4, result.rank == 4, result[0] == x[0], result[1] == x[1] else {
      throw mismatch("operands and result do not fit", inputs + [result])
    }
    let (vertical, horizontal) = padding.axes(x, kernel, strides, dilations)
    guard vertical.isComputable, horizontal.isComputable, vertical.counts.contains(result[2]),
      horizontal.counts.contains(result[3])
    else { throw mismatch("the window does not give this result", inputs + [result]) }
  }

  package func keepsBatch(_ operands: [Shape?], result: Shape) -> Bool {
    isOnlyFirstBatched(operands)
  }

  package func channelRule(_ inputs: [Shape], result: Shape) -> ChannelRule { .imageChannels }

  package func rows(axis: Int, _ inputs: [Shape], result: Shape) -> [RowRule.Operand]? {
    guard axis == 2, let window = RowWindow(inputs[0], padding, kernel, strides, dilations),
      !countsPadding || !window.hangsOver(result[2], below: padding.bottom)
    else { return nil }
    return leadingRows(inputs, along: 2, .window(window))
  }

  package func isIdentity(on shape: Shape) -> Bool {
    kernel == Pair(1, 1) && strides == Pair(1, 1) && padding == Padding()
  }
}
