package import Foundations
import Tensors

extension Graph {
  /// Checks everything that code running a graph relies on: ids in range, unique names, every value
  /// defined once and before its use, float32 wherever something computes or is handed out, and shapes
  /// that agree with the operations.
  ///
  /// Time and memory grow linearly with the graph, so this is safe for graphs from untrusted files.
  ///
  /// - Parameter external: constants whose elements are kept elsewhere.
  /// - Throws: `.invalidShape`, `.invalidFile`, `.unsupported` or `.resourceExhausted`, naming the node
  ///   or value.
  package func validate(external: Set<ValueID> = []) throws(MartletError) {
    try validateNames()
    var defined = [Bool](repeating: false, count: values.count)
    func define(_ id: ValueID, _ what: String) throws(MartletError) {
      try validate(id, what)
      guard !defined[id.index] else {
        throw MartletError(
          .invalidFile, "a value is defined twice", context: ["value": self[id].name])
      }
      defined[id.index] = true
    }
    for id in inputs { try define(id, "input") }
    for id in external { try define(id, "constant") }
    for (id, tensor) in constants {
      try define(id, "constant")
      guard self[id].shape == tensor.shape, self[id].elementType == tensor.elementType else {
        throw MartletError(
          .invalidShape, "a constant is not what its value says",
          context: ["value": self[id].name, "shapes": "\(self[id].shape), \(tensor.shape)"])
      }
    }
    var room = Graph.maximumMultiplyAdds
    for node in nodes {
      for id in node.inputs {
        try validate(id, node.name)
        guard defined[id.index] else {
          throw MartletError(
            .invalidFile, "a node reads a value before it is computed",
            context: ["node": node.name, "value": self[id].name])
        }
        guard self[id].elementType == .float32 else {
          throw MartletError(
            .unsupported, "a node computes with \(self[id].elementType) at run time",
            context: ["node": node.name, "value": self[id].name])
        }
      }
      try define(node.output, node.name)
      do {
        _ = try node.operation.outputShape(
          inputs: node.inputs.map { self[$0].shape }, declared: self[node.output].shape)
      } catch {
        throw error.adding("node", node.name)
      }
      let work = multiplyAdds(of: node)
      guard work <= room else {
        throw MartletError(
          .resourceExhausted, "the model multiplies more than any machine can",
          context: ["node": node.name])
      }
      room -= work
    }
    for id in outputs {
      try validate(id, "output")
      guard self[id].elementType == .float32 else {
        throw MartletError(
          .unsupported,
          "an output of the model is \(self[id].elementType): outputs are float32",
          context: ["output": self[id].name],
          hint: "remove the output, or cast it to float32 in the model")
      }
      guard defined[id.index] else {
        throw MartletError(
          .invalidFile, "an output is never computed", context: ["value": self[id].name])
      }
    }
  }

  private func validate(_ id: ValueID, _ what: String) throws(MartletError) {
    guard values.indices.contains(id.index) else {
      throw MartletError(
        .invalidFile, "a value number is out of range",
        context: ["in": what, "value": "\(id.index)"])
    }
  }

  private func validateNames() throws(MartletError) {
    var seen = Set<String>()
    for node in nodes where !seen.insert(node.name).inserted {
      throw MartletError(.invalidFile, "two nodes have one name", context: ["node": node.name])
    }
    seen.removeAll()
    for value in values where !seen.insert(value.name).inserted {
      throw MartletError(.invalidFile, "two values have one name", context: ["value": value.name])
    }
  }
}
