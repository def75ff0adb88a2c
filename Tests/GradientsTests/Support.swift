import Foundations
import Gradients
import Kernels
import ModelGraph
import Tensors
import TestSupport
import Testing

extension SeededGenerator {
  /// Values on a grid of 0.25 with an offset of 0.125 and all different where that is possible: far
  /// enough from kinks at multiples of 0.25, and from each other, for finite differences.
  mutating func gridTensor(_ shape: Shape) -> Tensor {
    var values = (0..<shape.count).map { Float($0 - shape.count / 2) * 0.25 + 0.125 }
    values.shuffle(using: &self)
    return Tensor(shape, values)
  }
}

/// The scalar that is differentiated: the outputs times fixed cotangents, added up in double
/// precision.
struct Objective {
  let graph: Graph
  let inputs: [Tensor]
  let cotangents: [Tensor]

  init(_ graph: Graph, inputs: [Tensor], _ random: inout SeededGenerator) {
    self.graph = graph
    self.inputs = inputs
    cotangents = graph.outputs.map { random.tensor(graph[$0].shape) }
  }

  func value(changing id: ValueID, _ element: Int, by step: Float) throws -> Double {
    var graph = graph
    var inputs = inputs
    func changed(_ tensor: Tensor) -> Tensor {
      var values = tensor.floats ?? []
      values[element] += step
      return Tensor(tensor.shape, values)
    }
    if let position = graph.inputs.firstIndex(of: id) {
      inputs[position] = changed(inputs[position])
    } else if let constant = graph.constants[id] {
      graph.constants[id] = changed(constant)
    }
    let outputs = try Execution(Program(graph)).run(inputs: inputs)
    return zip(outputs, cotangents).reduce(0) { sum, pair in
      sum
        + zip(pair.0.floats ?? [], pair.1.floats ?? []).reduce(0.0) {
          $0 + Double($1.0) * Double($1.1)
        }
    }
  }

  /// Gradients of all inputs and constants, twice added up to see that they do.
  func gradients(of targets: [ValueID]) throws -> [[Float]] {
    let tape = try GradientTape(BackwardPlan(graph, targets: targets))
    tape.clearGradients()
    for _ in 0..<2 {
      try tape.forward(inputs)
      try tape.backward(cotangents)
    }
    return targets.map { (tape.gradient(of: $0).floats ?? []).map { $0 / 2 } }
  }

  /// Compares with central differences at up to `samples` elements of each target.
  func check(
    step: Float = 0.02, tolerance: Double = 4e-3, samples: Int = 24, _ comment: String,
    _ random: inout SeededGenerator, sourceLocation: SourceLocation
  ) throws {
    let targets = graph.inputs + graph.constants.keys.sorted()
    let gradients = try gradients(of: targets)
    for (id, gradient) in zip(targets, gradients) {
      let scale = max(1, gradient.reduce(0) { max($0, abs(Double($1))) })
      let elements = Array(gradient.indices.shuffled(using: &random).prefix(samples))
      for element in elements {
        let difference =
          try value(changing: id, element, by: step) - value(changing: id, element, by: -step)
        let expected = difference / Double(2 * step)
        #expect(
          abs(Double(gradient[element]) - expected) <= tolerance * scale,
          "\(comment): element \(element) of \(graph[id].name) \(graph[id].shape)",
          sourceLocation: sourceLocation)
      }
    }
  }
}

/// Compares the derivative of one node with respect to every operand with finite differences.
func expectDerivative(
  _ operation: ModelGraph.Operation, _ operands: [Tensor], output: Shape, seed: Int,
  constants: Set<Int> = [], step: Float = 0.02, tolerance: Double = 4e-3,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  var random = SeededGenerator(seed &+ 1000)
  let graph = Graph(operation, operands, output: output, constants: constants)
  let given = operands.enumerated().filter { !constants.contains($0.offset) }.map(\.element)
  try Objective(graph, inputs: given, &random).check(
    step: step, tolerance: tolerance,
    "seed \(seed), \(operation) of \(operands.map(\.shape))", &random,
    sourceLocation: sourceLocation)
}
