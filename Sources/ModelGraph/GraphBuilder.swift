package import Foundations
package import Tensors

/// Builds a graph node by node: infers shapes, keeps names unique and computes at once whatever
/// depends on constants only.
package struct GraphBuilder: Sendable {
  /// The graph so far.
  package private(set) var graph: Graph
  /// Elements that folding may still read and write. It bounds the time and memory that a hostile
  /// model can take with small constants that grow step by step.
  private var foldingBudget: Int
  private var names = UniqueNames()
  private var nodeNames = UniqueNames()

  /// An empty graph; `foldingBudget` is in elements.
  package init(name: String, foldingBudget: Int = 1 << 27) {
    graph = Graph(name: name)
    self.foldingBudget = foldingBudget
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
      try charge(operands.reduce(result.count) { $0 + $1.shape.count })
      if let tensor = try operation.facts.folded(operands, shape: result) {
        return add(constant: tensor, name: name)
      }
    }
    for id in inputs where graph[id].elementType != .float32 {
      throw MartletError(
        .unsupported,
        "arithmetic on \(graph[id].elementType.rawValue) is only supported on constants",
        context: ["value": graph[id].name, "operation": operation.kindName])
    }
    let output = graph.add(Graph.Value(name: names.unique(name), shape: result))
    graph.nodes.append(
      Node(
        name: nodeNames.unique(name), operation: operation, inputs: inputs, output: output))
    return output
  }

  /// Takes elements from the folding budget, for constants made outside `add`.
  package mutating func charge(_ elements: Int) throws(MartletError) {
    guard elements <= foldingBudget else {
      throw MartletError(
        .resourceExhausted, "computing the constants of the model takes too much memory",
        context: ["elements": "\(elements)", "left": "\(foldingBudget)"])
    }
    try MemoryLimit.require(
      elements, of: MemoryLayout<Int64>.size, for: "computing the constants of the model")
    foldingBudget -= elements
  }

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
