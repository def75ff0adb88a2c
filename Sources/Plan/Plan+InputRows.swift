import ModelCards
import ModelGraph
import Tensors

// Which rows of a frame each device reads, where the front of the model is divided by rows.
extension Plan {
  /// Whether every device reads some rows of the one input and no others, so that it need not get them.
  /// Rows are those of planes: of an image with channels last all is sent.
  package var dividesInput: Bool {
    guard model.preprocessing?.layout != .channelsLast, let strips = sharding.strips,
      graph.inputs.count == 1, case let input = graph.inputs[0],
      graph[input].shape.rank == 4, graph[input].shape[0] == 1, !graph.outputs.contains(input)
    else { return false }
    let divided = Set(strips.nodes).subtracting(strips.sums)
    return graph.nodes.enumerated().allSatisfy { index, node in
      guard node.inputs.contains(input) else { return true }
      guard divided.contains(index), let axis = strips.axes[node.output],
        let rule = RowRule(node, axis: axis, graph: graph)
      else { return false }
      return zip(node.inputs, rule.operands).allSatisfy { value, operand in
        if value != input { return true }
        if case .rows(axis: 2, _) = operand { return true }
        return false
      }
    }
  }

  /// The rows of the input that each device reads in frames with that attendance, at least one. Nil where
  /// devices read all.
  package func inputRows(_ attendance: Attendance) -> [Range<Int>]? {
    guard dividesInput, let strips = sharding.strips else { return nil }
    let layout = StripLayout(
      graph, strips, gathered: Set(sharding.exchanges), devices: devices.count,
      owners: .init(attendance, shares: devices.map(\.share)))
    return devices.indices.map { device in
      let rows = layout.needed(graph.inputs[0], by: device)
      return rows.isEmpty ? 0..<1 : rows
    }
  }
}
