import Kernels
import ModelGraph
import Tensors
import TestSupport
import Testing

extension Graph {
  /// Appends a node and returns its result.
  mutating func append(
    _ operation: ModelGraph.Operation, _ operands: [ValueID], _ shape: Shape
  ) -> ValueID {
    let id = add(Value(name: "value\(values.count)", shape: shape))
    nodes.append(
      Node(name: "node\(nodes.count)", operation: operation, inputs: operands, output: id))
    return id
  }
}

/// The largest difference, relative to the largest expected element (at least 0.1).
func difference(_ a: [Float], _ b: [Float]) -> Float {
  guard a.count == b.count else { return .infinity }
  var largest: Float = 0.1
  var difference: Float = 0
  for (x, y) in zip(a, b) where x != y {
    if !(abs(x - y) < .infinity) { return .infinity }
    difference = max(difference, abs(x - y))
    largest = max(largest, abs(y))
  }
  return difference / largest
}

/// Runs one node both ways, for one and for two threads, and compares.
func expectMatch(
  _ operation: ModelGraph.Operation, _ operands: [Tensor], output: Shape,
  constants: Set<Int> = [], tolerance: Float = 2e-6, seed: Int,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let expected = Reference.evaluate(operation, operands, output: output)
  let program = try Program(Graph(operation, operands, output: output, constants: constants))
  let execution = try Execution(program)
  let given = operands.enumerated().filter { !constants.contains($0.offset) }.map(\.element)
  for round in 0..<2 {
    let result = try execution.run(inputs: given)[0]
    #expect(result.shape == output, sourceLocation: sourceLocation)
    let error = difference(result.floats ?? [], expected)
    #expect(
      error <= tolerance, "seed \(seed), round \(round), \(operation) of \(operands.map(\.shape))",
      sourceLocation: sourceLocation)
  }
}
