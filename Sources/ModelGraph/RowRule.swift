import Tensors

/// Which rows of its operands a node reads for some rows of its result: what row strips have to know
/// of an operation. Rows are the indices along one axis, for an image the height.
package struct RowRule {
  /// How one operand is read.
  package enum Operand: Sendable, Hashable {
    /// All of it, whatever rows are computed.
    case whole
    /// Some rows along an axis.
    case rows(axis: Int, RowReach)
  }

  /// By operand; constants included.
  package let operands: [Operand]

  /// Nil for an operation whose result has no rows along that axis that could be computed apart.
  ///
  /// - Parameter axis: of the node's output.
  package init?(_ node: Node, axis: Int, graph: Graph) {
    let output = graph[node.output].shape
    guard !node.inputs.isEmpty, output.rank > axis,
      let operands = node.operation.facts.rows(
        axis: axis, node.inputs.map { graph[$0].shape }, result: output)
    else { return nil }
    self.operands = operands
  }

  /// The axis of a node's output along which its operands' rows stay apart; nil where they do not.
  ///
  /// - Parameter rows: of an operand, the axis of its rows; nil for one that is not divided.
  package static func outputAxis(
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

/// Which rows of an operand some rows of a result are made of.
package enum RowReach: Sendable, Hashable {
  /// Those in windows at even distances.
  case window(RowWindow)
  /// Those around the places where a resize samples.
  case places(ResizedRows)

  /// Each row by itself.
  package static func same(_ extent: Int) -> RowReach { .window(.same(extent)) }

  /// The rows that some result rows read, from the first to the last.
  package func operand(_ rows: Range<Int>) -> Range<Int> {
    switch self {
    case .window(let window): window.operand(rows)
    case .places(let places): places.operand(rows)
    }
  }

  /// Whether a result row reads other rows than its own.
  package var reachesOut: Bool {
    switch self {
    case .window(let window): window.reachesOut
    case .places(let places): places.reachesOut
    }
  }
}

/// Windows that slide down an operand's rows, or down rows of zeros with an operand's rows at even
/// distances among them: result row i reads those from `i * stride - before` on, `span` of them, as far
/// as they exist.
package struct RowWindow: Sendable, Hashable {
  /// Rows of the operand.
  package var extent: Int
  /// Rows between the windows of neighbouring result rows.
  package var stride: Int
  /// Where the first window begins, above the operand's first row.
  package var before: Int
  /// Rows from the first to the last that a window reads.
  package var span: Int
  /// Steps from one of the operand's rows to the next; 1 where there are no zeros in between.
  package var spread = 1

  /// Each row by itself.
  package static func same(_ extent: Int) -> RowWindow {
    RowWindow(extent: extent, stride: 1, before: 0, span: 1)
  }

  /// Whether a result row reads other rows than its own; of a spread operand, than the last one that is
  /// not below it.
  package var reachesOut: Bool {
    spread > 1 ? before >= spread || span > before + 1 : span > stride || before != 0
  }

  /// Where the windows of some result rows begin and end, counted in rows of the spread operand.
  private func reached(_ rows: Range<Int>) -> Range<Int> {
    let start = rows.lowerBound * stride - before
    return start..<(rows.upperBound - 1) * stride - before + span
  }

  /// The rows that some result rows read: [c, d) reads [c s - p, (d - 1) s - p + k), clipped, and of
  /// those the ones that are the operand's.
  package func operand(_ rows: Range<Int>) -> Range<Int> {
    guard !rows.isEmpty else { return 0..<0 }
    let reached = reached(rows)
    // Rounded up, and never of negative numbers.
    let low = (max(0, reached.lowerBound) + spread - 1) / spread
    let high = min(extent, (max(0, reached.upperBound) + spread - 1) / spread)
    return low..<max(low, high)
  }

  /// Rows of padding above and below the rows that `operand` gives.
  package func padding(_ rows: Range<Int>) -> (before: Int, after: Int) {
    let (reached, read) = (reached(rows), operand(rows))
    return (
      read.lowerBound * spread - reached.lowerBound,
      max(0, reached.upperBound - (read.upperBound - 1) * spread - 1)
    )
  }

  /// Whether the last of some windows reaches beyond the padding below the operand, as in ceiling mode.
  /// A mean does not count those cells, which padding below a strip could not tell from others.
  func hangsOver(_ count: Int, below: Int) -> Bool {
    (count - 1) * stride - before + span > extent + below
  }
}

extension OperationFacts {
  /// The first operand row by row along an axis of its own, or as it is said; the others whole.
  func leadingRows(
    _ inputs: [Shape], along axis: Int, _ reach: RowReach? = nil
  ) -> [RowRule.Operand] {
    var operands = [RowRule.Operand](repeating: .whole, count: inputs.count)
    operands[0] = .rows(axis: axis, reach ?? .same(inputs[0][axis]))
    return operands
  }
}

extension RowWindow {
  /// Nil where a window could lie in padding alone, or between two rows of a spread operand, for then a
  /// strip would read no row at all.
  init?(
    _ shape: Shape, _ padding: Padding, _ kernel: Pair, _ strides: Pair, _ dilations: Pair,
    spread: Pair? = nil
  ) {
    guard shape.rank == 4 else { return nil }
    let span = (kernel.height - 1) * dilations.height + 1
    let step = spread?.height ?? 1
    guard padding.top < span, padding.bottom < span, step <= span else { return nil }
    self.init(
      extent: shape[2], stride: strides.height, before: padding.top, span: span, spread: step)
  }
}
