package import Foundations
package import Tensors

/// Builds a graph node by node: infers shapes, keeps names unique and computes at once whatever
/// depends on constants only.
package struct GraphBuilder: Sendable {
  /// Computes an operation of constants that has no rule for them of its own (`folded`), as the kernels
  /// do; nil for operands that they do not take.
  package typealias Evaluation =
    @Sendable (Operation, [Tensor], Shape) throws(MartletError) -> Tensor?

  /// The graph so far.
  package private(set) var graph: Graph
  /// Elements that folding may still read and write. It bounds the time and memory that a hostile
  /// model can take with small constants that grow step by step.
  private var foldingBudget: Int
  private let evaluation: Evaluation?
  private var names = UniqueNames()
  private var nodeNames = UniqueNames()

  /// So many multiply-adds take about as long as one element that is read and written otherwise.
  private static let multiplyAddsPerElement = 64

  /// An empty graph.
  ///
  /// - Parameters:
  ///   - foldingBudget: elements.
  ///   - evaluation: without, products and the like of constants stay nodes.
  package init(name: String, foldingBudget: Int = 1 << 27, evaluation: Evaluation? = nil) {
    graph = Graph(name: name)
    self.foldingBudget = foldingBudget
    self.evaluation = evaluation
  }

  /// Adds a value that the caller gives at run time.
  package mutating func addInput(name: String, shape: Shape) -> ValueID {
    let id = graph.add(Graph.Value(name: names.unique(name), shape: shape))
    graph.inputs.append(id)
    return id
  }

  /// Adds a constant.
  package mutating func add(constant tensor: Tensor, name: String) -> ValueID {
    graph.add(constant: tensor, name: names.unique(name))
  }

  /// Adds a node, or a constant when all operands are constants, and returns its result.
  ///
  /// - Parameter shape: See `Operation.outputShape(inputs:declared:)`.
  /// - Throws: `.invalidShape` when the operands do not fit, `.resourceExhausted` when folding
  ///   constants takes too much.
  package mutating func add(
    _ operation: Operation, _ inputs: [ValueID], name: String, shape: Shape? = nil
  ) throws(MartletError) -> ValueID {
    let result = try operation.outputShape(inputs: inputs.map { graph[$0].shape }, declared: shape)
    let operands = inputs.compactMap { graph.constants[$0] }
    if operands.count == inputs.count {
      try charge(
        result.count, reading: operands.reduce(0) { $0 + $1.shape.count },
        elementSize: operands.contains { $0.elementType != .float32 }
          ? MemoryLayout<Int64>.size : MemoryLayout<Float>.size)
      if let tensor = try operation.facts.folded(operands, shape: result) {
        return add(constant: tensor, name: name)
      }
      if let evaluation {
        try charge(
          0,
          reading: operation.facts.multiplyAdds(inputs.map { graph[$0].shape }, result: result)
            / GraphBuilder.multiplyAddsPerElement)
        if let tensor = try evaluation(operation, operands, result) {
          return add(constant: tensor, name: name)
        }
      }
    }
    for id in inputs where graph[id].elementType != .float32 {
      throw MartletError(
        .unsupported,
        "nothing computes this operation with \(graph[id].elementType)",
        context: ["value": graph[id].name, "operation": operation.kindName])
    }
    let output = graph.add(Graph.Value(name: names.unique(name), shape: result))
    graph.nodes.append(
      Node(
        name: nodeNames.unique(name), operation: operation, inputs: inputs, output: output))
    return output
  }

  /// Takes elements from the folding budget, for constants made outside `add`.
  ///
  /// - Parameters:
  ///   - elements: what is written.
  ///   - reading: what is only read.
  ///   - elementSize: bytes of an element that is written.
  package mutating func charge(
    _ elements: Int, reading: Int = 0, elementSize: Int = MemoryLayout<Int64>.size
  ) throws(MartletError) {
    let (total, overflow) = elements.addingReportingOverflow(reading)
    guard !overflow, total <= foldingBudget else {
      throw MartletError(
        .resourceExhausted, "computing the constants of the model takes too much",
        context: ["elements": overflow ? "too many" : "\(total)", "left": "\(foldingBudget)"])
    }
    try MemoryLimit.require(
      elements, of: elementSize, for: "computing the constants of the model")
    foldingBudget -= total
  }

  /// Adds to the folding budget for a constant that the model itself holds, so that the weights of a
  /// large one can be laid out anew: read and written, twice.
  package mutating func allow(forWeights elements: Int) { foldingBudget += 4 * elements }

  /// Marks a value as an output and gives it that name.
  package mutating func addOutput(_ id: ValueID, name: String) throws(MartletError) {
    var id = id
    if graph.outputs.contains(id) || graph.inputs.contains(id) {
      // One value cannot have two names: a reshape to the same shape is a copy.
      let copy = graph.add(Graph.Value(name: names.unique(name), shape: graph[id].shape))
      graph.nodes.append(
        Node(name: nodeNames.unique(name), operation: .reshape, inputs: [id], output: copy))
      id = copy
    } else {
      graph[id].name = graph[id].name == name ? name : names.unique(name)
    }
    graph.outputs.append(id)
  }
}

/// Hands out each name once, adding a number where it is taken.
struct UniqueNames: Sendable {
  private var counts: [String: Int] = [:]

  mutating func unique(_ wanted: String) -> String {
    let wanted = wanted.isEmpty ? "unnamed" : wanted
    guard var count = counts[wanted] else {
      counts[wanted] = 1
      return wanted
    }
    var candidate: String
    repeat {
      count += 1
      candidate = "\(wanted)#\(count)"
    } while counts[candidate] != nil
    counts[wanted] = count
    counts[candidate] = 1
    return candidate
  }
}
