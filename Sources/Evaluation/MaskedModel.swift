package import Foundations
import Kernels
package import ModelGraph
import Tensors

/// A whole model in one process, of which channels of chosen values can be taken away.
///
/// Each chosen value is copied at a boundary of the program, and everybody who would read the value
/// reads the copy. Immutable, and shared by any number of `MaskedExecution`s.
package final class MaskedModel: Sendable {
  /// The values whose channels can be removed, as given.
  package let points: [ChannelPoint]
  /// Inputs per run.
  package let batch: Int
  /// Whether a point that lost all its channels is the null vector, from which nothing is computed.
  let hasNulls: Bool
  let program: Program
  /// The points of each boundary.
  let boundaries: [[Int]]
  /// The copy of each point's value.
  let copies: [ValueID]
  /// The values that are needed after each boundary, or by its copies, and exist before it.
  let live: [[ValueID]]

  /// Compiles a model.
  ///
  /// - Parameters:
  ///   - graph: with all constants, without exchanges; its batch is the first input's first extent.
  ///   - points: computed values, each at most once.
  ///   - hasNulls: whether a point that lost all its channels is the null vector (see `NullFlow`), as
  ///     in vertical plans, and not just filled.
  /// - Throws: `invalidArgument` for points that are none; what `Program.init` throws.
  package init(
    _ graph: consuming Graph, points: [ChannelPoint], hasNulls: Bool = false
  ) throws(MartletError) {
    let batch = graph.inputs.first.flatMap { graph[$0].shape.dimensions.first } ?? 1
    try MaskedModel.check(points, graph, batch: batch)
    let copies = MaskedModel.insertCopies(of: points, in: &graph)
    let program = try Program(graph)
    let number = Dictionary(uniqueKeysWithValues: copies.enumerated().map { ($1, $0) })
    boundaries = program.stages.dropLast().map { stage in
      stage.exchanges.compactMap { number[program.graph.nodes[$0].output] }
    }
    live = KeptValues(program).atBoundaries
    self.points = points
    self.batch = batch
    self.hasNulls = hasNulls
    self.copies = copies
    self.program = program
  }

  /// The elements of each input for one entry of the batch.
  package var inputCounts: [Int] {
    program.graph.inputs.map { program.graph[$0].shape.count / batch }
  }

  /// The elements of the first output for one entry of the batch.
  package var outputCount: Int {
    program.graph.outputs.first.map { program.graph[$0].shape.count / batch } ?? 0
  }

  /// The channels of a point.
  package func channels(of point: Int) -> Int {
    program.graph[points[point].value].shape[points[point].axis]
  }

  /// Arranges masks for `MaskedExecution.run`.
  ///
  /// - Parameter wires: the roundings of the execution.
  /// - Precondition: each mask has one ascending set of channels per point.
  package func arrange(_ masks: [Mask], wires: [WireRounding] = [.none]) -> MaskTrie {
    for mask in masks {
      precondition(mask.lost.count == points.count, "one set of channels per point")
      for (point, lost) in mask.lost.enumerated() {
        precondition(
          lost.allSatisfy((0..<channels(of: point)).contains), "no such channel of point \(point)")
      }
    }
    return MaskTrie(masks, wires: wires, boundaries: boundaries)
  }

  private static func check(
    _ points: [ChannelPoint], _ graph: borrowing Graph, batch: Int
  ) throws(MartletError) {
    let computed = Set(graph.nodes.map(\.output))
    var seen: Set<ValueID> = []
    for point in points {
      guard computed.contains(point.value), seen.insert(point.value).inserted else {
        throw MartletError(
          .invalidArgument, "channels can be removed from computed values only, once from each",
          context: ["value": "\(point.value.index)"])
      }
      let shape = graph[point.value].shape
      guard (1..<max(shape.rank, 1)).contains(point.axis), shape[0] == batch else {
        throw MartletError(
          .invalidArgument, "a value has no such channel axis behind the batch",
          context: ["value": graph[point.value].name, "shape": "\(shape)", "axis": "\(point.axis)"])
      }
    }
    for output in graph.outputs where graph[output].shape.dimensions.first != batch {
      throw MartletError(
        .invalidShape, "an output of the model does not begin with the batch",
        context: ["output": graph[output].name, "batch": "\(batch)"])
    }
  }

  /// Puts an exchange behind each point's value and lets all readers read its result.
  private static func insertCopies(
    of points: [ChannelPoint], in graph: inout Graph
  ) -> [ValueID] {
    var replacement: [ValueID: ValueID] = [:]
    var exchanges: [ValueID: Node] = [:]
    var copies: [ValueID] = []
    for (index, point) in points.enumerated() {
      var value = graph[point.value]
      // No importer makes a name with a NUL.
      value.name = "masked\0\(index)"
      let copy = graph.add(value)
      exchanges[point.value] = Node(
        name: value.name,
        operation: .exchange(
          Exchange(layer: "\(index)", axis: point.axis, extents: [value.shape[point.axis]])),
        inputs: [point.value], output: copy)
      replacement[point.value] = copy
      copies.append(copy)
    }
    var nodes: [Node] = []
    for var node in graph.nodes {
      node.inputs = node.inputs.map { replacement[$0] ?? $0 }
      nodes.append(node)
      if let exchange = exchanges[node.output] { nodes.append(exchange) }
    }
    graph.nodes = nodes
    graph.outputs = graph.outputs.map { replacement[$0] ?? $0 }
    return copies
  }
}

/// Which values must be kept to go on from a boundary more than once.
private struct KeptValues {
  /// Values that own storage, in order, by boundary.
  let atBoundaries: [[ValueID]]

  init(_ program: Program) {
    let graph = program.graph
    // A reshape shares the storage of its operand.
    var owner = graph.values.indices.map { $0 }
    var birth = [Int?](repeating: nil, count: graph.values.count)
    var lastUse = [Int](repeating: -1, count: graph.values.count)
    for id in graph.inputs { birth[id.index] = -1 }
    for (index, node) in graph.nodes.enumerated() {
      if case .reshape = node.operation {
        owner[node.output.index] = owner[node.inputs[0].index]
      } else {
        birth[node.output.index] = index
      }
      for id in node.inputs { lastUse[owner[id.index]] = index }
    }
    for id in graph.outputs { lastUse[owner[id.index]] = graph.nodes.count }
    // A reshaped constant has no birth: nothing ever overwrites it.
    atBoundaries = program.stages.dropLast().map { stage in
      let boundary = stage.exchanges[0]
      return graph.values.indices.filter { value in
        birth[value].map { $0 < boundary } ?? false && lastUse[value] >= boundary
      }.map { ValueID($0) }
    }
  }
}
