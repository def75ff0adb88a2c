import Foundations
import ModelGraph
import ONNXImport
import Tensors
import Testing

/// What is wrong about a node is said of it by its name, before anything is computed.
@Suite struct LayerTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A model of one node named `node` over an image.
  private func model(
    _ kind: String, _ operands: [String] = [], opset: Int = 18, extents: [Int] = [1, 4, 6, 6],
    integers: [String: [Int]] = [:], numbers: [String: Int] = [:], texts: [String: String] = [:],
    _ constants: (inout ModelWriter) -> Void = { _ in }
  ) -> ModelWriter {
    var model = ModelWriter()
    model.opset = opset
    model.input("x", extents.map { .fixed($0) })
    constants(&model)
    model.node(
      kind, ["x"] + operands, ["y"], name: "node", integers: integers, numbers: numbers,
      texts: texts)
    model.output("y")
    return model
  }

  private func failure(
    _ model: ModelWriter, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> MartletError.Code? {
    do {
      _ = try ONNXImporter.load(path: folder.write(model.bytes))
      return nil
    } catch let error as MartletError {
      let isNamed = error.context.contains { $0.key == "node" && $0.value == "node" }
      #expect(isNamed, "\(error)", sourceLocation: sourceLocation)
      return error.code
    }
  }

  private func transposed(
    _ weights: [Int] = [4, 2, 3, 3], extents: [Int] = [1, 4, 6, 6], bias: Int? = nil,
    integers: [String: [Int]] = [:], numbers: [String: Int] = [:], texts: [String: String] = [:]
  ) -> ModelWriter {
    model(
      "ConvTranspose", ["w"] + (bias == nil ? [] : ["b"]), extents: extents, integers: integers,
      numbers: numbers, texts: texts
    ) {
      $0.floats("w", weights, [Float](repeating: 1, count: weights.reduce(1, *)))
      if let bias { $0.floats("b", [bias], [Float](repeating: 1, count: bias)) }
    }
  }

  @Test func transposedConvolutionsThatFit() throws {
    #expect(try failure(transposed()) == nil)
    #expect(try failure(transposed(bias: 2, integers: ["strides": [2, 2]])) == nil)
    #expect(try failure(transposed(bias: 4, numbers: ["group": 2])) == nil)
    #expect(try failure(transposed([4, 2, 3], extents: [1, 4, 6])) == nil)
  }

  @Test(
    arguments: [
      ["strides": [0, 1]], ["strides": [2]], ["strides": [-1, 1]], ["strides": [1 << 40, 1 << 40]],
      ["dilations": [0, 0]], ["dilations": [.max, .max]], ["pads": [1, 1]],
      ["pads": [-1, 0, 0, 0]], ["pads": [.max, .max, .max, .max]], ["output_padding": [-1, 0]],
      ["output_padding": [.max, 0]], ["output_shape": [-5, 12]], ["output_shape": [12]],
      ["output_shape": [1 << 60, 1 << 60]], ["kernel_shape": [2, 3]], ["kernel_shape": [3]],
      // More than 10^9 elements.
      ["strides": [1 << 16, 1 << 16]], ["output_shape": [1 << 16, 1 << 16]],
      // Nothing is left.
      ["pads": [9, 9, 9, 9]],
    ] as [[String: [Int]]])
  func impossibleTransposedConvolutions(_ attributes: [String: [Int]]) throws {
    let code = try failure(transposed(integers: attributes))
    #expect([.invalidFile, .invalidShape, .unsupported].contains(code), "\(attributes)")
  }

  @Test func transposedConvolutionsThatDoNotFit() throws {
    #expect(try failure(transposed([3, 2, 3, 3])) == .invalidShape)
    #expect(try failure(transposed([4, 2, 3])) == .invalidShape)
    #expect(try failure(transposed(bias: 3)) == .invalidShape)
    #expect(try failure(transposed(extents: [1, 4])) == .unsupported)
    #expect(try failure(transposed(texts: ["auto_pad": "SAME"])) == .unsupported)
    for groups in [0, -1, 3, 5, .max] {
      #expect(try failure(transposed(numbers: ["group": groups])) == .invalidShape, "\(groups)")
    }
    #expect(try failure(model("ConvTranspose", ["x"])) == .unsupported)
  }

  @Test(arguments: ["DepthToSpace", "SpaceToDepth"])
  func blocks(_ kind: String) throws {
    #expect(try failure(model(kind, numbers: ["blocksize": 2])) == nil)
    for side in [0, -2, 4, 5, 1 << 40, .max, .min] {
      let code = try failure(model(kind, numbers: ["blocksize": side]))
      #expect([.invalidFile, .invalidShape].contains(code), "\(side)")
    }
    #expect(
      try failure(model(kind, extents: [4, 6, 6], numbers: ["blocksize": 2])) == .invalidShape)
  }

  @Test func orderOfBlocks() throws {
    let given = model("DepthToSpace", numbers: ["blocksize": 2], texts: ["mode": "RCD"])
    #expect(try failure(given) == .unsupported)
  }

  @Test(
    arguments: [
      [1, 1, 1], [1, -1, 1, 1], [1, 1, 1 << 20, 1 << 20], [1, 1, .max, 1],
      [.max, .max, .max, .max],
      [1, 1, 1 << 12, 1 << 12], [1, 1, .min, 1],
    ])
  func tiles(_ repeats: [Int]) throws {
    let code = try failure(model("Tile", ["r"]) { $0.integers("r", repeats) })
    #expect([.invalidShape, .resourceExhausted].contains(code), "\(repeats)")
  }

  @Test func normalisations() throws {
    func normalised(_ kind: String, count: Int, numbers: [String: Int] = [:]) throws
      -> MartletError.Code?
    {
      try failure(
        model(kind, ["s", "b"], numbers: numbers) {
          $0.floats("s", [count], [Float](repeating: 1, count: count))
          $0.floats("b", [count], [Float](repeating: 1, count: count))
        })
    }
    #expect(try normalised("InstanceNormalization", count: 4) == nil)
    #expect(try normalised("InstanceNormalization", count: 3) == .invalidShape)
    #expect(try normalised("GroupNormalization", count: 2, numbers: ["num_groups": 2]) == nil)
    for groups in [0, -1, 3, 5, .max] {
      #expect(
        try normalised("GroupNormalization", count: 2, numbers: ["num_groups": groups])
          == .invalidShape, "\(groups)")
    }
    #expect(
      try normalised("GroupNormalization", count: 3, numbers: ["num_groups": 2]) == .invalidShape)
    #expect(try failure(model("LpNormalization", numbers: ["p": 3])) == .unsupported)
    #expect(try failure(model("LpNormalization", numbers: ["axis": 4])) == .invalidShape)
    for size in [0, -3, .max] {
      #expect(try failure(model("LRN", numbers: ["size": size])) == .invalidShape, "\(size)")
    }
    #expect(try failure(model("LRN", extents: [1, 4], numbers: ["size": 3])) == .invalidShape)
  }

  @Test(arguments: ["ReduceL1", "ReduceL2", "ReduceProd", "ReduceLogSumExp", "ReduceSumSquare"])
  func reductions(_ kind: String) throws {
    for axes in [[4], [-5], [1, 1], [1, -3], [.max], [.min]] {
      #expect(
        try failure(model(kind, opset: 13, integers: ["axes": axes])) == .invalidShape, "\(axes)")
    }
    #expect(try failure(model(kind, ["x"])) == .unsupported)
  }

  @Test(arguments: ["ArgMax", "ArgMin", "Hardmax"])
  func places(_ kind: String) throws {
    #expect(try failure(model(kind, numbers: ["axis": -4])) == nil)
    for axis in [4, -5, .max, .min] {
      #expect(try failure(model(kind, numbers: ["axis": axis])) == .invalidShape, "\(axis)")
    }
  }

  @Test(
    arguments: [
      "", "->", "abcd", "abcd,abcd->abcd", "abc->abc", "a...->a", "aacd->acd", "abcd->abcde",
      "abcd->aa", "1234->1", "abcd->abcd->abcd", String(repeating: "a", count: 10_000),
    ])
  func equations(_ equation: String) throws {
    let code = try failure(model("Einsum", texts: ["equation": equation]))
    // The letters alone, each once, are the operand itself.
    #expect(
      equation == "abcd" ? code == nil : [.unsupported, .invalidShape].contains(code),
      "\(equation.prefix(20))")
  }

  @Test func lettersOfDifferentExtents() throws {
    let code = try failure(
      model("Einsum", ["w"], texts: ["equation": "abcd,de->abce"]) {
        $0.floats("w", [5, 2], [Float](repeating: 1, count: 10))
      })
    #expect(code == .invalidShape)
  }

  @Test func conditions() throws {
    func compared(_ extents: [Int]) throws -> MartletError.Code? {
      try failure(
        model("Less", ["w"]) {
          $0.floats("w", extents, [Float](repeating: 1, count: extents.reduce(1, *)))
        })
    }
    #expect(try compared([4, 1, 1]) == nil)
    #expect(try compared([3, 1, 1]) == .invalidShape)
  }

  /// Whole numbers at run time are indices and truth values, as far as the integer type holds them.
  @Test func castsAtRunTime() throws {
    func cast(_ classes: Int, to type: Int, _ kind: String?) throws -> MartletError.Code? {
      var model = ModelWriter()
      model.opset = 18
      model.input("x", [.fixed(1), .fixed(classes), .fixed(2)])
      if let kind { model.node(kind, ["x"], ["i"], numbers: ["axis": 1]) }
      model.node("Cast", [kind == nil ? "x" : "i"], ["y"], name: "node", numbers: ["to": type])
      model.output("y")
      return try failure(model)
    }
    let (uint8, int32, bool, float32) = (2, 6, 9, 1)
    for type in [uint8, int32, float32] { #expect(try cast(256, to: type, "ArgMax") == nil) }
    #expect(try cast(257, to: int32, "ArgMax") == nil)
    #expect(try cast(257, to: uint8, "ArgMax") == .unsupported)
    #expect(try cast(4, to: int32, nil) == .unsupported)
    #expect(try cast(4, to: bool, nil) == nil)
  }

  /// Truth values of constants stay integers, so that shape arithmetic may go on with them.
  @Test func constantsAreCompared() throws {
    var model = ModelWriter()
    model.opset = 18
    model.input("x", [.fixed(2), .fixed(3)])
    model.integers("a", [2, 3])
    model.integers("b", [2, 4])
    model.integers("c", [3, 2])
    model.node("LessOrEqual", ["a", "b"], ["less"])
    model.node("Not", ["less"], ["not"])
    model.node("Where", ["not", "a", "c"], ["shape"])
    model.node("Reshape", ["x", "shape"], ["y"])
    model.output("y")
    let graph = try ONNXImporter.load(path: folder.write(model.bytes))
    #expect(graph[graph.outputs[0]].shape == [3, 2])
  }

  /// A product of integers is how exporters count elements.
  @Test func productsOfIntegers() throws {
    var model = ModelWriter()
    model.opset = 18
    model.input("x", [.fixed(2), .fixed(3), .fixed(4)])
    model.node("Shape", ["x"], ["s"])
    model.node("ReduceProd", ["s"], ["n"])
    model.node("Reshape", ["x", "n"], ["y"])
    model.output("y")
    let graph = try ONNXImporter.load(path: folder.write(model.bytes))
    #expect(graph[graph.outputs[0]].shape == [24])
  }

  /// A transposed convolution is divided by its output channels like any other.
  @Test func transposedConvolutionsAreConvolutions() throws {
    let graph = try ONNXImporter.load(
      path: folder.write(transposed(integers: ["strides": [2, 2], "pads": [1, 1, 1, 1]]).bytes))
    guard case .convolution(let convolution) = graph.nodes.first?.operation else {
      Issue.record("no convolution")
      return
    }
    #expect(convolution.spread == Pair(2, 2))
    #expect(convolution.padding == Padding(1, 1, 1, 1))
    #expect(graph[graph.nodes[0].inputs[1]].shape == [2, 4, 3, 3])
    #expect(graph[graph.outputs[0]].shape == [1, 2, 11, 11])
    // Of stride 1 nothing is spread.
    let plain = try ONNXImporter.load(path: folder.write(transposed().bytes))
    guard case .convolution(let other) = plain.nodes.first?.operation else {
      Issue.record("no convolution")
      return
    }
    #expect(other.spread == nil && other.padding == Padding(2, 2, 2, 2))
  }
}
