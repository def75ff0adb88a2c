import Kernels
import ModelGraph
import TensorCore
import Testing

/// SplitMix64: small, seeded, the same everywhere.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: Int) { state = UInt64(seed) }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

  mutating func pick<T>(_ choices: [T]) -> T { choices[int(0...(choices.count - 1))] }

  mutating func tensor(_ shape: Shape, in range: ClosedRange<Float> = -1...1) -> Tensor {
    Tensor(shape, (0..<shape.count).map { _ in Float.random(in: range, using: &self) })
  }
}

extension Graph {
  /// A graph of one node; operands listed in `constants` become weights, the others inputs.
  init(
    _ operation: ModelGraph.Operation, _ operands: [Tensor], output: Shape,
    constants: Set<Int> = []
  ) {
    self.init(name: "test")
    var ids: [ValueID] = []
    for (index, operand) in operands.enumerated() {
      if constants.contains(index) {
        ids.append(add(constant: operand, name: "constant\(index)"))
      } else {
        let id = add(Value(name: "input\(index)", shape: operand.shape))
        inputs.append(id)
        ids.append(id)
      }
    }
    let result = add(Value(name: "result", shape: output))
    nodes.append(Node(name: "node", operation: operation, inputs: ids, output: result))
    outputs = [result]
  }

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
