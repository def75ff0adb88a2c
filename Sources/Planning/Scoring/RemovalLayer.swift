import CKernels
import Foundations
import Kernels
import ModelGraph
import Tensors

/// One weighted node made ready for removing its neurons, one at a time, from cached images: what
/// depends on the neuron is computed again, for several pairs of neuron and image at once.
struct RemovalLayer {
  /// A neuron and an image.
  struct Item: Sendable {
    let neuron: Int
    let image: Int
  }

  let path: RemovalPath
  /// The value at which the remaining computation starts: the removal itself, or the result of the
  /// node that mixes channels.
  private let start: ValueID
  /// The remaining computation for `batch` items; nil when no output depends on the neurons.
  private let program: Program?
  /// The other values that the remaining computation reads, and the logits.
  private let others: [ValueID]
  private let output: ValueID
  /// Items computed at once.
  let batch: Int
  /// Multiplications for one item.
  let cost: Double
  /// What the mixing node reads when every neuron is removed: the channel of each, then.
  let emptied: [Float]
  private let product: ColumnProduct?

  /// Activations of one batch should stay in a core's caches as far as possible.
  private static let batchMemory = 12 << 20
  private static let largestBatch = 64

  /// The values of the model that have to be cached for a layer.
  static func cachedValues(
    _ path: RemovalPath, _ graph: Graph, sums: [String: ValueID]
  ) -> Set<ValueID> {
    var result: Set<ValueID> = [path.removal]
    var start = path.removal
    if let mixing = path.mixing {
      let node = graph.nodes[mixing.node]
      start = node.output
      result.formUnion([mixing.operand, sums[node.name] ?? node.output])
    }
    result.formUnion(graph.suffix(from: start)?.inputs.dropFirst() ?? [])
    return result
  }

  init(
    _ path: RemovalPath, _ graph: Graph, sums: [String: ValueID], items: Int, lanes: Int
  ) throws(MartletError) {
    self.path = path
    try MemoryLimit.require(
      2 * graph[path.removal].shape.count, of: MemoryLayout<Float>.size,
      for: "the study of a layer")
    if let mixing = path.mixing {
      let node = graph.nodes[mixing.node]
      start = node.output
      product = ColumnProduct(node, graph, mixing.view, sum: sums[node.name] ?? node.output)
      let zeros = Tensor(
        graph[path.removal].shape,
        [Float](repeating: 0, count: graph[path.removal].shape.count))
      emptied =
        path.removal == mixing.operand
        ? zeros.floats ?? []
        : try Execution(Program(graph.part(from: path.removal, to: mixing.operand)))
          .run(inputs: [zeros])[0].floats ?? []
    } else {
      start = path.removal
      product = nil
      emptied = [Float](repeating: 0, count: graph[path.removal].shape.count)
    }
    output = graph.outputs[0]
    guard let suffix = graph.suffix(from: start) else {
      program = nil
      others = []
      batch = 1
      cost = 0
      return
    }
    others = Array(suffix.inputs.dropFirst())
    cost =
      Double(suffix.nodes.reduce(0) { $0 + suffix.multiplyAdds(of: $1) })
      + Double(graph[start].shape.count)
    // What the most demanding node reads and writes.
    let perItem =
      suffix.nodes.map { node in
        (node.inputs.filter { suffix.constants[$0] == nil } + [node.output])
          .reduce(0) { $0 + suffix[$1].shape.count * MemoryLayout<Float>.stride }
      }.max() ?? 1
    let wanted = min(
      max(Self.batchMemory / max(perItem, 1), 1), Self.largestBatch,
      max((items + lanes - 1) / lanes, 1))
    if wanted > 1, let batched = try? suffix.rebatched(to: wanted) {
      batch = wanted
      program = try Program(batched)
    } else {
      batch = 1
      program = try Program(suffix)
    }
  }

  /// Whether removing a neuron changes nothing for an image.
  func isWithoutEffect(_ item: Item, _ image: Execution) -> Bool {
    guard program != nil else { return true }
    let value = path.mixing?.operand ?? path.removal
    guard let cached = image.address(of: value) else { return false }
    return emptied.withUnsafeBufferPointer { emptied in
      guard let base = emptied.baseAddress else { return true }
      return (path.mixing?.view ?? path.removalView).isEqual(item.neuron, cached, base)
    }
  }

  /// One lane's memory; nil where there is nothing to compute.
  func makeExecution() throws(MartletError) -> Execution? {
    guard let program else { return nil }
    return try Execution(program, maximumLanes: 1)
  }

  /// Computes up to `batch` items and hands the logits of each to `body`.
  func run(
    _ items: ArraySlice<Item>, images: [Execution], on execution: Execution,
    scratch: AlignedMemory, classes: Int,
    _ body: (Item, UnsafeBufferPointer<Float>) -> Void
  ) {
    for (slot, item) in items.enumerated() {
      fill(slot, item, images[item.image], execution, scratch)
    }
    execution.run(stage: 0)
    guard let logits = execution.address(of: output) else { return }
    for (slot, item) in items.enumerated() {
      body(item, UnsafeBufferPointer(start: logits + slot * classes, count: classes))
    }
  }

  /// Floats of scratch that `run` needs.
  var scratchCount: Int { product?.scratchCount ?? 0 }

  private func fill(
    _ slot: Int, _ item: Item, _ image: Execution, _ execution: Execution,
    _ scratch: AlignedMemory
  ) {
    for id in others { copy(id, slot, image, execution) }
    guard let product, let mixing = path.mixing else {
      copy(path.removal, slot, image, execution)
      guard let base = execution.address(of: start) else { return }
      let view = path.removalView
      let target = base + slot * view.outer * view.extent * view.inner
      for run in 0..<view.outer {
        (target + view.place(item.neuron, run: run)).update(repeating: 0, count: view.inner)
      }
      return
    }
    guard let target = execution.address(of: start), let sum = image.address(of: product.sum),
      let operand = image.address(of: mixing.operand)
    else { return }
    emptied.withUnsafeBufferPointer { emptied in
      guard let emptied = emptied.baseAddress else { return }
      product.run(
        item.neuron, from: operand, to: emptied, sum: sum,
        into: target + slot * product.resultCount, scratch: scratch.base)
    }
  }

  private func copy(_ id: ValueID, _ slot: Int, _ image: Execution, _ execution: Execution) {
    image.withValue(id) { source in
      guard let target = execution.address(of: id), let base = source.baseAddress else { return }
      (target + slot * source.count).update(from: base, count: source.count)
    }
  }
}
