import Foundations
import ModelGraph
import Tensors

/// Everything that must hold before a graph is compiled, so that kernels need no checks.
enum GraphCheck {
  /// That the graph's constants are what its values say.
  static func checkConstants(of graph: borrowing Graph) throws(MartletError) {
    for id in graph.constants.keys.sorted() {
      guard graph.values.indices.contains(id.index) else {
        throw MartletError(.invalidFile, "a constant refers to a value that does not exist")
      }
      guard let tensor = graph.constants[id], tensor.shape == graph[id].shape,
        tensor.elementType == graph[id].elementType
      else {
        throw MartletError(
          .mismatch, "a constant does not have the shape or type of its value",
          context: ["value": graph[id].name])
      }
    }
  }

  /// - Parameter constants: the shapes of the constants.
  /// - Throws: `MartletError` that names the node.
  static func run(
    _ graph: borrowing Graph, constants: [ValueID: Shape], stages: [Program.Stage]
  ) throws(MartletError) {
    var known = [Bool](repeating: false, count: graph.values.count)
    func define(_ id: ValueID, _ what: String) throws(MartletError) {
      guard known.indices.contains(id.index) else {
        throw MartletError(.invalidFile, "\(what) refers to a value that does not exist")
      }
      guard !known[id.index] else {
        throw MartletError(
          .invalidFile, "a value is defined twice", context: ["value": graph[id].name])
      }
      guard graph[id].elementType == .float32 else {
        throw MartletError(
          .unsupported, "a value that is computed at run time is not float32",
          context: ["value": graph[id].name])
      }
      known[id.index] = true
    }
    for id in graph.inputs { try define(id, "an input") }
    for (id, shape) in constants.sorted(by: { $0.key < $1.key }) {
      try define(id, "a constant")
      guard shape == graph[id].shape else {
        throw MartletError(
          .mismatch, "a constant does not have the shape or type of its value",
          context: ["value": graph[id].name])
      }
    }
    for node in graph.nodes {
      do throws(MartletError) {
        for id in node.inputs {
          guard known.indices.contains(id.index), known[id.index] else {
            throw MartletError(
              .invalidFile, "a node reads a value before anything defines it",
              context: [
                "value": known.indices.contains(id.index) ? graph[id].name : "\(id.index)"
              ])
          }
        }
        try define(node.output, "a node")
        for id in node.inputs + [node.output] {
          guard graph[id].shape.dimensions.allSatisfy({ $0 <= Int(Int32.max) }) else {
            throw MartletError(
              .invalidShape, "an extent is beyond 2^31", context: ["shape": "\(graph[id].shape)"])
          }
        }
        try node.operation.facts.check(
          node.inputs.map { graph[$0].shape }, result: graph[node.output].shape)
      } catch {
        throw error.adding("node", node.name)
      }
    }
    for id in graph.outputs {
      guard known.indices.contains(id.index), known[id.index] else {
        throw MartletError(.invalidFile, "an output of the model is computed by no node")
      }
    }
    for stage in stages {
      let results = Set(stage.exchanges.map { graph.nodes[$0].output })
      for exchange in stage.exchanges
      where !results.isDisjoint(with: graph.nodes[exchange].inputs) {
        throw MartletError(
          .unsupported, "an exchange sends the result of another exchange of the same boundary",
          context: ["node": graph.nodes[exchange].name])
      }
    }
  }
}
