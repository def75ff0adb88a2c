package import Foundations
package import ModelGraph
package import Tensors

/// A graph compiled for execution: checked, laid out in memory by liveness, with its weights in
/// place. Immutable, and shared by any number of `Execution`s.
package final class Program: Sendable {
  /// The work between two boundaries: a run of nodes.
  package struct Stage: Sendable, Equatable {
    /// Indices of the nodes that this stage computes.
    package let nodes: Range<Int>
    /// The `.exchange` nodes that follow it; empty for the last stage.
    package let exchanges: [Int]
  }

  /// Memory for activations beyond this is taken for a mistake in the model (64 GiB).
  package static let maximumArenaBytes = 1 << 36

  /// The node list, cut at every maximal run of `.exchange` nodes.
  package let stages: [Stage]
  /// The structure. Constants have moved into the program.
  package let graph: Graph
  /// Bytes of working memory of one execution, scratch for one thread included.
  package var arenaBytes: Int { layout.bytes + scratchCount * MemoryLayout<Float>.stride }
  /// Bytes of weights.
  package let weightBytes: Int

  let layout: ArenaLayout
  /// One kernel for each node; nil for exchanges and views.
  let kernels: [(any Kernel)?]
  /// Floats of scratch for each compute thread.
  let scratchCount: Int
  let weights: WeightStore
  /// By node, the weights that its kernel reads as they are stored.
  let storedWeights: [StoredWeights?]
  let nullFlow: NullFlow

  /// Checks and compiles `graph`, taking over its constants: if the caller gives its graph away,
  /// no second copy of the weights stays in memory.
  ///
  /// - Throws: `MartletError` naming the node, when shapes, operands or attributes do not fit, a
  ///   value is not float32, or the working memory would be unreasonably large.
  package convenience init(_ graph: consuming Graph) throws(MartletError) {
    try self.init(graph, weights: .f32)
  }

  /// Checks and compiles `graph` with the weights of its layers stored as a type, which a kernel reads
  /// so where it can.
  ///
  /// - Throws: like `init(_:)`; `resourceExhausted` without memory.
  package convenience init(
    _ graph: consuming Graph, weights: WeightType
  ) throws(MartletError) {
    try GraphCheck.checkConstants(of: graph)
    let narrow = weights == .f32 ? [] : graph.storableWeights
    var constants: [ValueID: SharedConstant] = [:]
    for id in graph.constants.keys.sorted() {
      if narrow.contains(id), let stored = try graph.stored(id, as: weights) {
        constants[id] = SharedConstant(stored)
        graph.constants[id] = nil
      } else if let tensor = graph.constants.removeValue(forKey: id), tensor.floats != nil {
        // Leftovers of shape arithmetic are harmless until a node reads them.
        constants[id] = SharedConstant(tensor)
      }
    }
    try self.init(graph, constants: constants)
  }

  /// Checks and compiles a graph whose constants other programs use as well.
  ///
  /// - Parameters:
  ///   - graph: the structure; constants of its own are ignored.
  ///   - constants: by value, of the value's shape.
  /// - Throws: like `init(_:)`.
  package init(
    _ graph: consuming Graph, constants: consuming [ValueID: SharedConstant]
  ) throws(MartletError) {
    try ComputeThreads.prepare()
    graph.constants = [:]
    let stages = Program.cut(graph)
    let shapes = constants.mapValues(\.shape)
    try GraphCheck.run(graph, constants: shapes, stages: stages)
    let layout = ArenaLayout(graph, constants: Set(shapes.keys), stages: stages)
    var kernels: [(any Kernel)?] = []
    kernels.reserveCapacity(graph.nodes.count)
    let storage = constants.mapValues(\.elementType).filter { $0.value != .float32 }
    let selection = KernelSelection(graph, constants: Set(shapes.keys), storage: storage)
    var preparations: [ValueID: WeightPreparation] = [:]
    var narrow: Set<ValueID> = []
    for node in graph.nodes {
      let kernel = try selection.kernel(for: node, graph)
      if let preparation = kernel?.preparation {
        preparations[node.inputs[preparation.input]] = preparation
      }
      if let kernel, kernel.weightType != .float32 { narrow.insert(node.inputs[1]) }
      kernels.append(kernel)
    }
    let scratchCount = Program.scratchCount(of: kernels)
    guard layout.bytes + scratchCount * 4 <= Program.maximumArenaBytes else {
      throw MartletError(
        .resourceExhausted, "the model needs too much working memory",
        context: [
          "model": graph.name, "bytes": "\(layout.bytes)",
          "limit": "\(Program.maximumArenaBytes)",
        ])
    }
    let weights = try WeightStore(graph, constants, preparations, narrow: narrow)
    storedWeights = zip(graph.nodes, kernels).map { node, kernel in
      kernel.map { $0.weightType != .float32 } == true ? weights.stored(node.inputs[1]) : nil
    }
    self.stages = stages
    self.layout = layout
    self.kernels = kernels
    self.scratchCount = scratchCount
    self.weights = weights
    self.weightBytes = weights.bytes
    nullFlow = NullFlow(graph)
    self.graph = graph
  }

  /// Floats of scratch that kernels need, rounded so that each lane's begins at a cache line.
  static func scratchCount(of kernels: [(any Kernel)?]) -> Int {
    (kernels.reduce(0) { max($0, $1?.scratchCount ?? 0) } + 15) / 16 * 16
  }

  static func cut(_ graph: borrowing Graph) -> [Stage] {
    var stages: [Stage] = []
    var start = 0
    var exchanges: [Int] = []
    for (index, node) in graph.nodes.enumerated() {
      if case .exchange = node.operation {
        exchanges.append(index)
      } else if let first = exchanges.first {
        stages.append(Stage(nodes: start..<first, exchanges: exchanges))
        start = index
        exchanges = []
      }
    }
    if let first = exchanges.first {
      stages.append(Stage(nodes: start..<first, exchanges: exchanges))
      start = graph.nodes.count
    }
    stages.append(Stage(nodes: start..<graph.nodes.count, exchanges: []))
    return stages
  }
}
