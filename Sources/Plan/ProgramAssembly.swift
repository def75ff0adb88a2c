import ModelGraph

/// The last step of lowering: drops what nobody needs, orders nodes by stage and numbers values anew.
struct ProgramAssembly {
  let graph: Graph
  let publications: [(exchange: Int, value: ValueID)]
  let gatherings: [DeviceProgram.Gathering]
  let slices: [ValueID: ConstantSlice]
  /// By exchange.
  let exchangeStages: [Int: Int]

  func program() -> DeviceProgram {
    let stages = stageOfNode()
    let order = needed().sorted { (sortKey($0, stages), $0) < (sortKey($1, stages), $1) }

    var result = Graph(name: graph.name)
    var renumbered: [ValueID: ValueID] = [:]
    func value(_ old: ValueID) -> ValueID {
      if let id = renumbered[old] { return id }
      let id = result.add(graph[old])
      renumbered[old] = id
      return id
    }
    result.inputs = graph.inputs.map(value)
    var newIndex: [Int: Int] = [:]
    for old in order {
      var node = graph.nodes[old]
      node.inputs = node.inputs.map(value)
      node.output = value(node.output)
      newIndex[old] = result.nodes.count
      result.nodes.append(node)
    }
    result.outputs = graph.outputs.map(value)

    let producers = result.producers()
    let constants = slices.compactMap { id, slice in renumbered[id].map { ($0, slice) } }
    return DeviceProgram(
      graph: result,
      publications: publications.map { publication in
        let id = value(publication.value)
        return .init(exchange: publication.exchange, value: id, node: producers[id] ?? 0)
      },
      gatherings: gatherings.compactMap { gathering in
        newIndex[gathering.node].map {
          .init(
            exchange: gathering.exchange, node: $0, axis: gathering.axis, parts: gathering.parts,
            slots: gathering.slots)
        }
      }.sorted { $0.node < $1.node },
      constants: Dictionary(uniqueKeysWithValues: constants))
  }

  /// Nodes that the graph's outputs depend on.
  private func needed() -> [Int] {
    let producers = graph.producers()
    var reached: Set<Int> = []
    var open = graph.outputs
    while let value = open.popLast() {
      guard let node = producers[value], reached.insert(node).inserted else { continue }
      // A device's own part is computed because it is published; the exchange only copies it.
      open += graph.nodes[node].inputs
    }
    return reached.sorted()
  }

  /// Each node's stage: one more than the last exchange that it depends on. An exchange has its
  /// stage from the whole model, so that a device without neurons in it waits no sooner than others.
  private func stageOfNode() -> [Int] {
    let exchangeStage = Dictionary(
      uniqueKeysWithValues: gatherings.map { ($0.node, exchangeStages[$0.exchange] ?? 0) })
    var stageOfValue: [ValueID: Int] = [:]
    return graph.nodes.enumerated().map { index, node in
      if let stage = exchangeStage[index] {
        stageOfValue[node.output] = stage + 1
        return stage
      }
      let stage = node.inputs.map { stageOfValue[$0] ?? 0 }.max() ?? 0
      stageOfValue[node.output] = stage
      return stage
    }
  }

  /// Within a stage, computing comes before exchanging.
  private func sortKey(_ node: Int, _ stages: [Int]) -> Int {
    if case .exchange = graph.nodes[node].operation { return 2 * stages[node] + 1 }
    return 2 * stages[node]
  }
}
