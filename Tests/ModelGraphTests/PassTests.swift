import ModelGraph
import Tensors
import Testing

/// What each pass does to the structure of a graph. That results stay the same is checked against the
/// reference runtime by the golden tests, with and without optimisation.
@Suite struct PassTests {
  /// A graph builder with short names for what the tests need.
  struct Sketch {
    var builder = GraphBuilder(name: "sketch")
    private var count = 0

    mutating func input(_ shape: Shape) -> ValueID {
      builder.addInput(name: "x", shape: shape)
    }

    mutating func constant(_ shape: Shape, _ value: Float? = nil) -> ValueID {
      count += 1
      let values = (0..<shape.count).map { value ?? Float(($0 * 7 + count) % 11) / 8 - 0.5 }
      return builder.add(constant: Tensor(shape, values), name: "c\(count)")
    }

    mutating func add(
      _ operation: Operation, _ inputs: ValueID..., shape: Shape? = nil
    ) throws -> ValueID {
      try builder.add(operation, inputs, name: operation.kindName, shape: shape)
    }

    mutating func kinds(_ output: ValueID) throws -> [String] {
      try builder.addOutput(output, name: "y")
      return try builder.graph.optimised().nodes.map(\.operation.kindName)
    }

    mutating func optimised(_ output: ValueID) throws -> Graph {
      try builder.addOutput(output, name: "y")
      return try builder.graph.optimised()
    }
  }

  @Test func batchNormalisationGoesIntoTheConvolution() throws {
    var sketch = Sketch()
    let x = sketch.input([1, 2, 3, 3])
    let weights = sketch.constant([2, 2, 1, 1], 2)
    let c = try sketch.add(.convolution(Convolution(kernel: Pair(1, 1))), x, weights)
    let scale = sketch.constant([2], 3)
    let y = try sketch.add(.channelAffine, c, scale, sketch.constant([2], 0.5))
    let graph = try sketch.optimised(y)
    #expect(graph.nodes.map(\.operation.kindName) == ["convolution"])
    #expect(graph.constants[graph.nodes[0].inputs[1]]?.floats == [6, 6, 6, 6])
    #expect(graph.constants[graph.nodes[0].inputs[2]]?.floats == [0.5, 0.5])
    #expect(graph[graph.outputs[0]].name == "y")
  }

  @Test func batchNormalisationOfAValueReadTwiceStays() throws {
    var sketch = Sketch()
    let x = sketch.input([1, 2, 3, 3])
    let c = try sketch.add(
      .convolution(Convolution(kernel: Pair(1, 1))), x, sketch.constant([2, 2, 1, 1]))
    let n = try sketch.add(.channelAffine, c, sketch.constant([2]), sketch.constant([2]))
    #expect(
      try sketch.kinds(sketch.add(.binary(.add), c, n)) == ["convolution", "channelAffine", "add"])
  }

  @Test func activationIsFusedUnlessItsOperandIsReadElsewhere() throws {
    for isReadTwice in [false, true] {
      var sketch = Sketch()
      let x = sketch.input([2, 4])
      let d = try sketch.add(.dense(Dense()), x, sketch.constant([4, 4]))
      var y = try sketch.add(.activation(.relu), d)
      if isReadTwice { y = try sketch.add(.binary(.add), y, d) }
      #expect(try sketch.kinds(y) == (isReadTwice ? ["dense", "relu", "add"] : ["dense"]))
    }
  }

  @Test func anOutputIsNotFusedAway() throws {
    var sketch = Sketch()
    let x = sketch.input([2, 4])
    let d = try sketch.add(.dense(Dense()), x, sketch.constant([4, 4]))
    try sketch.builder.addOutput(d, name: "logits")
    #expect(try sketch.kinds(sketch.add(.activation(.sigmoid), d)) == ["dense", "sigmoid"])
  }

  @Test func productWithAConstantAndABiasIsDense() throws {
    var sketch = Sketch()
    let x = sketch.input([2, 3, 4])
    let m = try sketch.add(.matMul, x, sketch.constant([4, 5]))
    let graph = try sketch.optimised(sketch.add(.binary(.add), sketch.constant([5]), m))
    #expect(graph.nodes.map(\.operation.kindName) == ["dense"])
    #expect(graph.nodes[0].inputs.count == 3)
    #expect(graph[graph.nodes[0].inputs[1]].shape == [5, 4])
  }

  @Test func biasThatWidensTheResultStays() throws {
    var sketch = Sketch()
    let x = sketch.input([1, 4])
    let m = try sketch.add(.dense(Dense()), x, sketch.constant([5, 4]))
    #expect(
      try sketch.kinds(sketch.add(.binary(.add), m, sketch.constant([3, 5]))) == ["dense", "add"])
  }

  @Test func geluIsRecognised() throws {
    for factor in [Float(0.5), 0.6] {
      var sketch = Sketch()
      let x = sketch.input([2, 4])
      let a = try sketch.add(.binary(.divide), x, sketch.constant([], Float(2).squareRoot()))
      let e = try sketch.add(.unary(.errorFunction), a)
      let s = try sketch.add(.binary(.add), e, sketch.constant([], 1))
      let m = try sketch.add(.binary(.multiply), x, s)
      let kinds = try sketch.kinds(sketch.add(.binary(.multiply), m, sketch.constant([], factor)))
      #expect((kinds == ["gelu"]) == (factor == 0.5), "\(kinds)")
    }
  }

  @Test func siluIsRecognised() throws {
    var sketch = Sketch()
    let x = sketch.input([2, 4])
    let s = try sketch.add(.activation(.sigmoid), x)
    #expect(try sketch.kinds(sketch.add(.binary(.multiply), s, x)) == ["silu"])
  }

  @Test func layerNormalisationIsRecognised() throws {
    var sketch = Sketch()
    let x = sketch.input([2, 3, 4])
    let mean = Operation.reduction(Reduction(kind: .mean, axes: [2]))
    let d = try sketch.add(.binary(.subtract), x, sketch.add(mean, x))
    let v = try sketch.add(mean, sketch.add(.binary(.multiply), d, d))
    let r = try sketch.add(
      .unary(.squareRoot), sketch.add(.binary(.add), v, sketch.constant([], 1e-6)))
    let n = try sketch.add(.binary(.divide), d, r)
    let k = try sketch.add(.binary(.multiply), n, sketch.constant([4]))
    let graph = try sketch.optimised(sketch.add(.binary(.add), k, sketch.constant([4])))
    #expect(
      graph.nodes.map(\.operation) == [
        .layerNormalization(LayerNormalization(axes: [2], epsilon: 1e-6))
      ])
    #expect(graph.nodes[0].inputs.count == 3)
  }

  @Test func paddingGoesIntoTheConvolution() throws {
    for value in [Float(0), 1] {
      var sketch = Sketch()
      let x = sketch.input([1, 2, 3, 3])
      let p = try sketch.add(.pad(before: [0, 0, 1, 0], after: [0, 0, 0, 2], value: value), x)
      let c = try sketch.add(
        .convolution(Convolution(kernel: Pair(2, 2))), p, sketch.constant([2, 2, 2, 2]))
      #expect(try sketch.kinds(c) == (value == 0 ? ["convolution"] : ["pad", "convolution"]))
    }
  }

  @Test func transposesCancel() throws {
    var sketch = Sketch()
    let x = sketch.input([1, 2, 3, 4])
    let t = try sketch.add(.transpose(permutation: [0, 2, 3, 1]), x)
    let r = try sketch.add(.activation(.tanh), t)
    #expect(try sketch.kinds(sketch.add(.transpose(permutation: [0, 3, 1, 2]), r)) == ["tanh"])
  }

  @Test func lastAxisBlocksBecomeChannelsFirst() throws {
    var sketch = Sketch()
    let x = sketch.input([1, 4, 3, 5])
    let t = try sketch.add(.transpose(permutation: [0, 2, 3, 1]), x)
    let n = try sketch.add(
      .layerNormalization(LayerNormalization(axes: [3], epsilon: 1e-6)), t, sketch.constant([4]),
      sketch.constant([4]))
    let d = try sketch.add(.dense(Dense()), n, sketch.constant([6, 4]), sketch.constant([6]))
    let g = try sketch.add(.activation(.gelu), d)
    let e = try sketch.add(.dense(Dense()), g, sketch.constant([4, 6]))
    let u = try sketch.add(.transpose(permutation: [0, 3, 1, 2]), e)
    let s = try sketch.add(.binary(.multiply), u, sketch.constant([4, 1, 1]))
    let graph = try sketch.optimised(sketch.add(.binary(.add), s, x))
    #expect(
      graph.nodes.map(\.operation.kindName) == [
        "layerNormalization", "convolution", "convolution", "add",
      ])
    #expect(
      graph.nodes[0].operation == .layerNormalization(LayerNormalization(axes: [1], epsilon: 1e-6)))
  }

  @Test(arguments: [true, false])
  func scalesOfANormalisationGoIntoTheLayerBehind(isPadded: Bool) throws {
    var sketch = Sketch()
    let x = sketch.input([1, 2, 3, 3])
    let n = try sketch.add(
      .layerNormalization(LayerNormalization(axes: [1], epsilon: 1e-6)), x,
      sketch.constant([2], 3), sketch.constant([2], 0.5))
    let padding = isPadded ? Padding(1, 1, 1, 1) : Padding()
    let c = try sketch.add(
      .convolution(Convolution(kernel: Pair(3, 3), padding: padding)), n,
      sketch.constant([1, 2, 3, 3], 2), sketch.constant([1], 7))
    let graph = try sketch.optimised(c)
    #expect(graph.nodes.map(\.operation.kindName) == ["layerNormalization", "convolution"])
    // At a padded border the shift does not reach the convolution.
    #expect(graph.nodes[0].inputs.count == (isPadded ? 3 : 1))
    guard !isPadded else { return }
    #expect(
      graph.constants[graph.nodes[1].inputs[1]]?.floats == [Float](repeating: 6, count: 18))
    #expect(graph.constants[graph.nodes[1].inputs[2]]?.floats == [7 + 18 * 2 * 0.5])
  }

  @Test func scalesOfANormalisationReadTwiceStay() throws {
    var sketch = Sketch()
    let x = sketch.input([2, 4])
    let n = try sketch.add(
      .layerNormalization(LayerNormalization(axes: [1], epsilon: 1e-6)), x, sketch.constant([4], 3))
    let d = try sketch.add(.dense(Dense()), n, sketch.constant([4, 4]))
    let graph = try sketch.optimised(sketch.add(.binary(.add), d, n))
    #expect(graph.nodes[0].inputs.count == 2)
  }

  @Test func transposesThatCannotVanishStay() throws {
    var sketch = Sketch()
    let x = sketch.input([1, 2, 3, 4])
    let t = try sketch.add(.transpose(permutation: [0, 2, 3, 1]), x)
    #expect(try sketch.kinds(sketch.add(.reshape, t, shape: [1, 24])) == ["transpose", "reshape"])
  }

  @Test func deadNodesGo() throws {
    var sketch = Sketch()
    let x = sketch.input([1, 2])
    _ = try sketch.add(.activation(.relu), x)
    let graph = try sketch.optimised(sketch.add(.activation(.tanh), x))
    #expect(graph.nodes.count == 1)
    #expect(graph.values.count == 2)
  }
}
