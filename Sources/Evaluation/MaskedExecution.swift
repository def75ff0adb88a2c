package import Foundations
import Kernels
import ModelGraph
package import Plan
import Tensors

/// One thread's working memory for a `MaskedModel`.
package final class MaskedExecution {
  private let model: MaskedModel
  private let execution: Execution
  private let fills: [Plan.Fill]
  private let wires: [WireRounding]
  /// What is kept at each boundary while several masks go on from it.
  private var snapshots: [[[Float]]]

  /// Allocates working memory.
  ///
  /// - Precondition: constants to fill with are there for every channel, and roundings for every point.
  /// - Throws: `resourceExhausted` when the system refuses the memory.
  package init(
    _ model: MaskedModel, fills: [Plan.Fill] = [.zero], wires: [WireRounding] = [.none]
  ) throws(MartletError) {
    precondition(
      wires.allSatisfy { $0.points.isEmpty || $0.points.count == model.points.count },
      "one rounding per point")
    for case let values? in fills.map(\.constants) {
      precondition(
        values.count == model.points.count
          && values.indices.allSatisfy { values[$0].count == model.channels(of: $0) },
        "one constant per channel")
    }
    self.model = model
    self.fills = fills
    self.wires = wires
    execution = try Execution(model.program)
    snapshots = Array(repeating: [], count: model.boundaries.count)
  }

  /// Computes one batch under every mask of a trie.
  ///
  /// - Parameters:
  ///   - inputs: the elements of each model input, entries of the batch one after the other.
  ///   - masks: from `MaskedModel.arrange`.
  ///   - isStopped: asked before every run of a stage.
  ///   - body: gets each leaf's number and the first output, once; no elements where it is null.
  /// - Throws: `cancelled` when stopped.
  package func run(
    _ inputs: [[Float]], masks: MaskTrie, isStopped: () -> Bool = { false },
    body: (Int, UnsafeBufferPointer<Float>) -> Void
  ) throws(MartletError) {
    begin(inputs)
    try descend(from: 0, boundary: 0, nulls: [], masks, isStopped, body)
  }

  /// Computes one batch with nothing missing and shows each point's value on the way.
  package func observe(_ inputs: [[Float]], body: (Int, UnsafeBufferPointer<Float>) -> Void) {
    begin(inputs)
    for (boundary, points) in model.boundaries.enumerated() {
      for point in points {
        copy(point)
        execution.withValue(model.copies[point]) { body(point, $0) }
      }
      execution.run(stage: boundary + 1)
    }
  }

  private func begin(_ inputs: [[Float]]) {
    let ids = model.program.graph.inputs
    precondition(inputs.count == ids.count, "one array per input")
    for (id, elements) in zip(ids, inputs) {
      execution.withMutableValue(id) { target in
        precondition(elements.count == target.count, "an input has the wrong size")
        _ = target.update(fromContentsOf: elements)
      }
    }
    execution.run(stage: 0)
  }

  /// Goes on under each child of a node; the stage before `boundary` has been run.
  private func descend(
    from node: Int, boundary: Int, nulls: Set<ValueID>, _ masks: MaskTrie, _ isStopped: () -> Bool,
    _ body: (Int, UnsafeBufferPointer<Float>) -> Void
  ) throws(MartletError) {
    if let leaf = masks.nodes[node].leaf {
      let output = model.program.graph.outputs[0]
      if nulls.contains(output) {
        body(leaf, UnsafeBufferPointer(start: nil, count: 0))
      } else {
        execution.withValue(output) { body(leaf, $0) }
      }
      return
    }
    let children = masks.nodes[node].children
    if children.count > 1 { try save(boundary) }
    for (index, child) in children.enumerated() {
      if isStopped() { throw MartletError(.cancelled, "stopped") }
      if index > 0 { restore(boundary) }
      var nulls = nulls
      for (point, lost) in zip(model.boundaries[boundary], masks.nodes[child].lost) {
        copy(
          point, without: lost, filledWith: fills[masks.nodes[child].fill],
          wire: wires[masks.nodes[child].wire])
        guard model.hasNulls else { continue }
        if nulls.contains(model.points[point].value) || lost.count == model.channels(of: point) {
          nulls.insert(model.copies[point])
        }
      }
      execution.run(stage: boundary + 1, nulls: &nulls)
      try descend(from: child, boundary: boundary + 1, nulls: nulls, masks, isStopped, body)
    }
  }

  private func save(_ boundary: Int) throws(MartletError) {
    let live = model.live[boundary]
    if snapshots[boundary].isEmpty {
      let count = live.reduce(0) { $0 + model.program.graph[$1].shape.count }
      try MemoryLimit.require(count, of: MemoryLayout<Float>.size, for: "the values of a batch")
      snapshots[boundary] = live.map { _ in [] }
    }
    for (index, id) in live.enumerated() {
      execution.withValue(id) { values in
        // The memory of the last batch is taken again.
        snapshots[boundary][index].removeAll(keepingCapacity: true)
        snapshots[boundary][index].append(contentsOf: values)
      }
    }
  }

  private func restore(_ boundary: Int) {
    for (index, id) in model.live[boundary].enumerated() {
      execution.withMutableValue(id) {
        _ = $0.update(fromContentsOf: snapshots[boundary][index])
      }
    }
  }

  /// Copies a point's value for its readers, with the lost channels filled.
  private func copy(
    _ point: Int, without lost: [Int] = [], filledWith fill: Plan.Fill = .zero,
    wire: WireRounding = .none
  ) {
    let (value, axis) = (model.points[point].value, model.points[point].axis)
    let shape = model.program.graph[value].shape
    let (outer, inner) = (shape.outerCount(before: axis), shape.innerCount(after: axis))
    execution.withMutableValue(model.copies[point]) { target in
      execution.withValue(value) { _ = target.update(fromContentsOf: $0) }
      wire.apply(to: target, point: point, shape: shape, axis: axis)
      for channel in lost {
        let constant = fill.constants?[point][channel] ?? 0
        for block in 0..<outer {
          let start = (block * shape[axis] + channel) * inner
          UnsafeMutableBufferPointer(rebasing: target[start..<start + inner])
            .update(repeating: constant)
        }
      }
    }
  }
}
