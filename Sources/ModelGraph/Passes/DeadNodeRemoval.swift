import Foundations

extension Graph {
  /// The graph without nodes and constants that no output depends on. Inputs stay.
  func withoutDeadNodes() -> Graph {
    var live = Set(outputs)
    var kept: [Node] = []
    for node in nodes.reversed() where live.contains(node.output) {
      kept.append(node)
      live.formUnion(node.inputs)
    }
    var copy = self
    copy.nodes = kept.reversed()
    copy.constants = constants.filter { live.contains($0.key) }
    return copy
  }

  /// The same graph with values numbered anew, without those that nothing uses, and with unique names
  /// of nodes.
  func compacted() -> Graph {
    var result = Graph(name: name)
    var numbers: [ValueID: ValueID] = [:]
    var nodeNames = UniqueNames()
    func number(_ id: ValueID) -> ValueID {
      if let known = numbers[id] { return known }
      let new = result.add(self[id])
      result.constants[new] = constants[id]
      numbers[id] = new
      return new
    }
    result.inputs = inputs.map(number)
    for node in nodes {
      result.nodes.append(
        Node(
          name: nodeNames.unique(node.name), operation: node.operation,
          inputs: node.inputs.map(number), output: number(node.output)))
    }
    result.outputs = outputs.map(number)
    return result
  }
}
