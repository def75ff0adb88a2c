import Foundations

/// The order in which the nodes of an ONNX graph can be computed, and which of them are needed.
struct NodeOrder {
  /// Positions of the initialisers by name.
  private(set) var initialisers: [String: Int] = [:]
  /// Positions of the nodes that the outputs depend on, each after the nodes it reads from.
  private(set) var needed: [Int] = []
  /// Names that a needed node reads or that are outputs.
  private(set) var used = Set<String>()

  /// - Throws: `.invalidFile` for names that are given twice, values that nothing computes, graphs
  ///   without an output and graphs with a cycle.
  init(_ graph: Onnx_GraphProto) throws(MartletError) {
    for (index, tensor) in graph.initializer.enumerated() {
      guard initialisers.updateValue(index, forKey: tensor.name) == nil, !tensor.name.isEmpty else {
        throw NodeOrder.duplicate(tensor.name)
      }
    }
    var inputs = Set<String>()
    for input in graph.input where !inputs.insert(input.name).inserted || input.name.isEmpty {
      throw NodeOrder.duplicate(input.name)
    }
    let given = inputs.union(initialisers.keys)
    let producers = try NodeOrder.producers(graph, given: given)
    let sorted = try NodeOrder.sorted(graph, producers: producers, given: given)
    guard !graph.output.isEmpty else {
      throw MartletError(.invalidFile, "the graph has no output")
    }
    used = Set(graph.output.map(\.name))
    var reversed: [Int] = []
    for index in sorted.reversed() where graph.node[index].output.contains(where: used.contains) {
      reversed.append(index)
      used.formUnion(graph.node[index].input)
    }
    used.remove("")
    needed = reversed.reversed()
  }

  private static func duplicate(_ name: String) -> MartletError {
    MartletError(
      .invalidFile, name.isEmpty ? "a value has no name" : "a value is defined twice",
      context: ["value": name])
  }

  private static func producers(
    _ graph: Onnx_GraphProto, given: Set<String>
  ) throws(MartletError) -> [String: Int] {
    var producers: [String: Int] = [:]
    for (index, node) in graph.node.enumerated() {
      for output in node.output where !output.isEmpty {
        guard !given.contains(output), producers.updateValue(index, forKey: output) == nil else {
          throw duplicate(output)
        }
      }
    }
    return producers
  }

  /// Kahn's algorithm; a graph that is already in order, as ONNX demands, keeps it.
  private static func sorted(
    _ graph: Onnx_GraphProto, producers: [String: Int], given: Set<String>
  ) throws(MartletError) -> [Int] {
    var waiting = [Int](repeating: 0, count: graph.node.count)
    var readers = [[Int]](repeating: [], count: graph.node.count)
    var isOrdered = true
    for (index, node) in graph.node.enumerated() {
      for input in node.input where !input.isEmpty && !given.contains(input) {
        guard let producer = producers[input] else {
          throw MartletError(
            .invalidFile, "a node reads a value that nothing computes",
            context: ["value": input, "node": node.name, "operator": node.opType])
        }
        waiting[index] += 1
        readers[producer].append(index)
        if producer >= index { isOrdered = false }
      }
    }
    if isOrdered { return Array(graph.node.indices) }
    var order = graph.node.indices.filter { waiting[$0] == 0 }
    var position = 0
    while position < order.count {
      for reader in readers[order[position]] {
        waiting[reader] -= 1
        if waiting[reader] == 0 { order.append(reader) }
      }
      position += 1
    }
    guard order.count == graph.node.count else {
      let stuck = graph.node.indices.first { waiting[$0] > 0 }.map { graph.node[$0] }
      throw MartletError(
        .invalidFile, "the nodes of the graph form a cycle",
        context: ["node": stuck?.name ?? "", "operator": stuck?.opType ?? ""])
    }
    return order
  }
}
