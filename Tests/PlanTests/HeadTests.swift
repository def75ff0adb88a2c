import Foundations
import JSONCoding
import ModelGraph
import Plan
import Tensors
import Testing

/// What the last operations of a model and its card say of its output.
@Suite struct HeadTests {
  /// A dense layer of so many outputs, and what `end` puts behind it.
  private func graph(
    _ outputs: Int, activation: Activation? = nil,
    _ end: (inout GraphBuilder, ValueID) throws -> [ValueID] = { _, value in [value] }
  ) throws -> Graph {
    var builder = GraphBuilder(name: "m")
    let input = builder.addInput(name: "x", shape: [1, 3])
    let weights = builder.add(
      constant: Tensor([outputs, 3], [Float](repeating: 1, count: outputs * 3)), name: "w")
    let value = try builder.add(
      .dense(Dense(activation: activation)), [input, weights], name: "dense")
    for (number, value) in try end(&builder, value).enumerated() {
      try builder.addOutput(value, name: "y\(number)")
    }
    return builder.graph
  }

  private func reshaped(
    _ builder: inout GraphBuilder, _ value: ValueID, _ shape: Shape
  ) throws -> ValueID {
    try builder.add(.reshape, [value], name: "reshape", shape: shape)
  }

  @Test func lastOperationsSayIt() throws {
    #expect(Head(detecting: try graph(10)) == Head(.classification, .logits))
    #expect(Head(detecting: try graph(1, activation: .sigmoid)) == Head(.binary, .probabilities))
    #expect(
      Head(detecting: try graph(4, activation: .sigmoid)) == Head(.multilabel, .probabilities))
    for (logarithmic, scores) in [(false, Head.Scores.probabilities), (true, .logits)] {
      let softmax = try graph(10) {
        [try $0.add(.softmax(axis: 1, logarithmic: logarithmic), [$1], name: "s")]
      }
      #expect(Head(detecting: softmax) == Head(.classification, scores))
    }
    let sigmoid = try graph(4) { [try $0.add(.activation(.sigmoid), [$1], name: "s")] }
    #expect(Head(detecting: sigmoid) == Head(.multilabel, .probabilities))
    let moved = try graph(4) {
      let sigmoid = try $0.add(.activation(.sigmoid), [$1], name: "s")
      return [try reshaped(&$0, sigmoid, [1, 4, 1, 1])]
    }
    #expect(Head(detecting: moved) == Head(.multilabel, .probabilities), "an axis of four")
    let biased = try graph(4) {
      let bias = $0.add(constant: Tensor([4], [1, 2, 3, 4] as [Float]), name: "bias")
      return [try $0.add(.binary(.add), [$1, bias], name: "add")]
    }
    #expect(Head(detecting: biased) == Head(.classification, .logits))
    // A softmax in parts.
    let parts = try graph(4) {
      let powers = try $0.add(.unary(.exponential), [$1], name: "exp")
      let sum = try $0.add(
        .reduction(Reduction(kind: .sum, axes: [1])), [powers], name: "sum", shape: [1, 1])
      return [try $0.add(.binary(.divide), [powers, sum], name: "divide")]
    }
    #expect(Head(detecting: parts) == Head(.classification, .probabilities))
  }

  @Test func whatCannotBeKnownIsRaw() throws {
    #expect(Head(detecting: try graph(1)) == .raw, "one number: a regression, or a logit")
    #expect(Head(detecting: try graph(10, activation: .tanh)) == .raw)
    #expect(Head(detecting: try graph(256) { [try reshaped(&$0, $1, [1, 4, 8, 8])] }) == .raw)
    #expect(Head(detecting: try graph(8) { [try reshaped(&$0, $1, [4, 2])] }) == .raw)
    #expect(Head(detecting: try graph(8) { [try reshaped(&$0, $1, [8, 1])] }) == .raw, "a batch")
    let two = try graph(4) { [$1, try $0.add(.activation(.sigmoid), [$1], name: "s")] }
    #expect(Head(detecting: two) == .raw)
    let map = try graph(8) {
      let value = try reshaped(&$0, $1, [1, 2, 4, 1])
      return [try $0.add(.softmax(axis: 1, logarithmic: false), [value], name: "s")]
    }
    #expect(Head(detecting: map) == .raw, "a softmax at each place of a map")
  }

  @Test func theCardDecides() throws {
    #expect(try Head(of: try graph(1), task: .binary) == Head(.binary, .logits))
    #expect(try Head(of: try graph(4), task: .multilabel) == Head(.multilabel, .logits))
    #expect(try Head(of: try graph(4), task: .raw) == .raw)
    #expect(try Head(of: try graph(4), task: nil) == Head(.classification, .logits))
    let sigmoid = try graph(4, activation: .sigmoid)
    #expect(try Head(of: sigmoid, task: .classification) == Head(.classification, .probabilities))
    let two = try graph(4) { [$1, try $0.add(.activation(.relu), [$1], name: "r")] }
    #expect(try Head(of: two, task: .classification) == Head(.classification, .logits), "the first")
    let map = try graph(256) { [try reshaped(&$0, $1, [1, 4, 8, 8])] }
    for (graph, task) in [
      (try graph(4), Head.Task.binary), (try graph(1), .classification), (map, .classification),
      (map, .multilabel),
    ] {
      let error = #expect(throws: MartletError.self) { try Head(of: graph, task: task) }
      #expect(error?.code == .mismatch && error?.description.contains(task.rawValue) == true)
    }
  }

  @Test func aModelWithoutHeadIsReadAsBefore() throws {
    let old = #"{"name": "m", "sha256": "", "labels": []}"#
    let model = try JSON.decode(Plan.Model.self, from: Array(old.utf8), source: "test")
    #expect(model.head == nil)
    let new = Plan.Model(
      name: "m", sha256: "", preprocessing: nil, labels: [], head: Head(.multilabel, .logits))
    let again = try JSON.decode(Plan.Model.self, from: try JSON.encode(new), source: "test")
    #expect(again == new)
  }
}
