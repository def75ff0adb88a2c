import ModelGraph
import Plan
import Planning
import Tensors
import TestSupport
import Testing

@Suite("Dealing neurons to devices")
struct MethodTests {
  /// One dense layer whose neuron i has importance i + 1.
  private func layer(neurons: Int) throws -> (Graph, Sharding) {
    var builder = GraphBuilder(name: "layer")
    let x = builder.addInput(name: "x", shape: [1, 1])
    let weights = (0..<neurons).map { Float($0 + 1) * ($0 % 2 == 0 ? 1 : -1) }
    let w = builder.add(constant: Tensor([neurons, 1], weights), name: "w")
    let y = try builder.add(.dense(Dense()), [x, w], name: "dense")
    try builder.addOutput(y, name: "y")
    return (builder.graph, try Sharding(builder.graph))
  }

  private func parts(
    _ method: PartitionMethod, neurons: Int, shares: [Double]
  ) throws -> [[Int]] {
    let (graph, sharding) = try layer(neurons: neurons)
    return method.parts(graph: graph, sharding: sharding, shares: shares)[0]
  }

  @Test("lop gives runs whose lengths follow the shares")
  func contiguous() throws {
    let dealt1 = try parts(.lop, neurons: 10, shares: [2, 1, 1])
    #expect(dealt1 == [[0, 1, 2, 3, 4], [5, 6, 7], [8, 9]])
    let dealt2 = try parts(.lop, neurons: 2, shares: [1, 1, 1])
    #expect(dealt2 == [[0], [1], []])
    let dealt3 = try parts(.lop, neurons: 5, shares: [0, 1])
    #expect(dealt3 == [[], [0, 1, 2, 3, 4]])
  }

  @Test("interleaved deals the most important first, round robin")
  func interleaved() throws {
    // Importance grows with the number: 7 goes to the first device, 6 to the second.
    let dealt4 = try parts(.interleaved, neurons: 8, shares: [1, 1])
    #expect(dealt4 == [[1, 3, 5, 7], [0, 2, 4, 6]])
  }

  @Test("importance is the l1 norm, with the bias")
  func importance() throws {
    let (graph, sharding) = try layer(neurons: 4)
    #expect(Importance.l1(of: sharding.layers[0], graph: graph) == [1, 2, 3, 4])
  }

  @Test("every neuron is dealt once, and nobody is more than one neuron off its due")
  func fairness() throws {
    for method in PartitionMethod.allCases {
      for neurons in [1, 3, 16, 61] {
        for shares in [[1.0], [1, 1, 1, 1], [3, 1], [5, 2, 2, 1, 0]] {
          let parts = try parts(method, neurons: neurons, shares: shares)
          #expect(parts.flatMap { $0 }.sorted() == Array(0..<neurons))
          let sum = shares.reduce(0, +)
          for (part, share) in zip(parts, shares) {
            let due = Double(neurons) * share / sum
            #expect(abs(Double(part.count) - due) <= 1, "\(method) \(neurons) \(shares)")
          }
        }
      }
    }
  }
}
