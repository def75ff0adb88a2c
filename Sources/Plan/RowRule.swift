import ModelGraph
import Tensors

/// Which rows of its operands a node reads for some rows of its result: what row strips have to know
/// of an operator. Rows are the indices along one axis, for an image the height.
struct RowRule {
  /// How one operand is read.
  enum Operand: Sendable, Hashable {
    /// All of it, whatever rows are computed.
    case whole
    /// Some rows along an axis.
    case rows(axis: Int, RowWindow)
  }

  /// By operand; constants included.
  let operands: [Operand]

  /// Nil for an operator whose result has no rows along that axis that could be computed apart.
  ///
  /// - Parameter axis: of the node's output.
  init?(_ node: Node, axis: Int, graph: Graph) {
    let shapes = node.inputs.map { graph[$0].shape }
    let output = graph[node.output].shape
    guard let first = shapes.first, output.rank > axis else { return nil }
    /// The first operand row by row along an axis of its own, the others whole.
    func leading(_ from: Int) -> [Operand] {
      [.rows(axis: from, .same(first[from]))] + shapes.dropFirst().map { _ in .whole }
    }
    switch node.operation {
    case .convolution(let layer):
      guard axis == 2,
        let window = RowWindow(
          first, layer.padding, layer.kernel, layer.strides, layer.dilations)
      else { return nil }
      operands = [.rows(axis: 2, window)] + shapes.dropFirst().map { _ in .whole }
    case .pooling(let pooling):
      guard axis == 2,
        let window = RowWindow(
          first, pooling.padding, pooling.kernel, pooling.strides, pooling.dilations),
        !pooling.countsPadding || !window.hangsOver(output[2], below: pooling.padding.bottom)
      else { return nil }
      operands = [.rows(axis: 2, window)]
    case .activation, .unary:
      operands = leading(axis)
    case .channelAffine:
      guard axis != 1 else { return nil }
      operands = leading(axis)
    case .dense:
      guard axis != output.rank - 1 else { return nil }
      operands = leading(axis)
    case .layerNormalization(let attributes):
      guard !attributes.axes.contains(axis) else { return nil }
      operands = leading(axis)
    case .softmax(let over, _):
      guard over != axis else { return nil }
      operands = leading(axis)
    case .binary:
      operands = shapes.map { shape in
        let from = axis - (output.rank - shape.rank)
        return from >= 0 && shape[from] > 1 ? .rows(axis: from, .same(shape[from])) : .whole
      }
    case .concatenation(let over):
      guard over != axis else { return nil }
      operands = shapes.map { .rows(axis: axis, .same($0[axis])) }
    case .transpose(let permutation):
      operands = leading(permutation[axis])
    case .reshape:
      let axes = first.dimensions.indices
      guard let from = axes.first(where: { first.axis($0, carriedTo: output) == axis })
      else { return nil }
      operands = leading(from)
    case .slice(let ranges):
      guard ranges[axis].step > 0 else { return nil }
      operands = [
        .rows(
          axis: axis,
          RowWindow(
            extent: first[axis], stride: ranges[axis].step, before: -ranges[axis].start, span: 1))
      ]
    case .pad(let before, let after, _):
      guard before[axis] == 0, after[axis] == 0 else { return nil }
      operands = leading(axis)
    case .selection(let over, _):
      guard over != axis else { return nil }
      operands = leading(axis)
    case .reduction(let attributes):
      let kept = first.dimensions.indices.filter { !attributes.axes.contains($0) }
      let isFlat = output.rank != first.rank
      guard isFlat ? axis < kept.count : kept.contains(axis) else { return nil }
      operands = leading(isFlat ? kept[axis] : axis)
    case .matMul, .combination, .exchange:
      return nil
    }
  }

  /// The axis of a node's output along which its operands' rows stay apart; nil where they do not.
  ///
  /// - Parameter rows: of an operand, the axis of its rows; nil for one that is not divided.
  static func outputAxis(
    of node: Node, graph: Graph, rows: (ValueID) -> Int?
  ) -> Int? {
    let divided = node.inputs.enumerated().compactMap { index, value in
      rows(value).map { (index, $0) }
    }
    guard !divided.isEmpty else { return nil }
    return (0..<graph[node.output].shape.rank).first { axis in
      guard let rule = RowRule(node, axis: axis, graph: graph) else { return false }
      return divided.allSatisfy { index, from in
        if case .rows(from, _) = rule.operands[index] { true } else { false }
      }
    }
  }
}

/// Windows that slide down an operand's rows: result row i reads the rows from `i * stride - before` on,
/// `span` of them, as far as they exist.
struct RowWindow: Sendable, Hashable {
  /// Rows of the operand.
  var extent: Int
  /// Rows between the windows of neighbouring result rows.
  var stride: Int
  /// Where the first window begins, above the operand's first row.
  var before: Int
  /// Rows from the first to the last that a window reads.
  var span: Int

  /// Each row by itself.
  static func same(_ extent: Int) -> RowWindow {
    RowWindow(extent: extent, stride: 1, before: 0, span: 1)
  }

  /// Whether a result row reads other rows than its own.
  var reachesOut: Bool { span > stride || before != 0 }

  /// The rows that some result rows read: [c, d) reads [c s - p, (d - 1) s - p + k), clipped.
  func operand(_ rows: Range<Int>) -> Range<Int> {
    guard !rows.isEmpty else { return 0..<0 }
    let low = max(0, rows.lowerBound * stride - before)
    let high = min(extent, (rows.upperBound - 1) * stride - before + span)
    return low..<max(low, high)
  }

  /// Rows of padding above and below the rows that `operand` gives.
  func padding(_ rows: Range<Int>) -> (before: Int, after: Int) {
    let start = rows.lowerBound * stride - before
    let end = (rows.upperBound - 1) * stride - before + span
    return (max(0, -start), max(0, end - extent))
  }

  /// Whether the last of some windows reaches beyond the padding below the operand, as in ceiling mode.
  /// A mean does not count those cells, which padding below a strip could not tell from others.
  func hangsOver(_ count: Int, below: Int) -> Bool {
    (count - 1) * stride - before + span > extent + below
  }
}

extension RowWindow {
  /// Nil where a window could lie in the padding alone, for then a strip would read no row at all.
  fileprivate init?(
    _ shape: Shape, _ padding: Padding, _ kernel: Pair, _ strides: Pair, _ dilations: Pair
  ) {
    guard shape.rank == 4 else { return nil }
    let span = (kernel.height - 1) * dilations.height + 1
    guard padding.top < span, padding.bottom < span else { return nil }
    self.init(extent: shape[2], stride: strides.height, before: padding.top, span: span)
  }
}
