import Foundations
import ModelGraph
import ONNXImport
import Tensors
import Testing

/// What constants come to, and what is said where something would have to be constant.
@Suite struct ConstantTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func load(_ model: ModelWriter) throws -> Graph {
    try ONNXImporter.load(path: folder.write(model.bytes))
  }

  private func failure(_ model: ModelWriter) -> MartletError? {
    do {
      _ = try load(model)
      return nil
    } catch {
      return error as? MartletError
    }
  }

  private func text(_ error: MartletError) -> String {
    "\(error.description) \(error.hint ?? "")"
  }

  /// x w + c v: the second product is a constant.
  @Test func productsOfConstantsAreConstants() throws {
    var model = ModelWriter()
    model.input("x", [.fixed(1), .fixed(2)])
    model.floats("w", [2, 3], [1, 2, 3, 4, 5, 6])
    model.floats("c", [1, 2], [1, -1])
    model.floats("v", [2, 3], [1, 2, 3, 10, 20, 30])
    model.node("MatMul", ["x", "w"], ["a"])
    model.node("MatMul", ["c", "v"], ["b"])
    model.node("Add", ["a", "b"], ["y"])
    model.output("y")
    let graph = try load(model)
    #expect(graph.nodes.map(\.operation) == [.dense(Dense())])
    #expect(graph.constants[graph.nodes[0].inputs[2]]?.floats == [-9, -18, -27])
  }

  @Test func anOutputMayBeAConstant() throws {
    var model = ModelWriter.small
    model.floats("k", [1, 2], [3, 4])
    model.node("Softmax", ["k"], ["l"], numbers: ["axis": 1])
    model.output("k")
    model.output("l")
    let graph = try load(model)
    #expect(graph.outputs.count == 3)
    #expect(graph.constants[graph.outputs[1]]?.floats == [3, 4])
    #expect(graph.constants[graph.outputs[2]]?.floats?.count == 2)
  }

  @Test func integersAreNoOutputs() throws {
    var model = ModelWriter.small
    model.node("Shape", ["x"], ["z"])
    model.output("z")
    let error = try #require(failure(model))
    #expect(error.code == .unsupported)
    #expect(text(error).contains("output: z"))
  }

  @Test func allUnsupportedOperatorsAreNamedAtOnce() throws {
    var model = ModelWriter.small
    for index in 0..<5 {
      model.node("Det", ["y"], ["d\(index)"], name: "det\(index)")
      model.output("d\(index)")
    }
    model.node("NonZero", ["y"], ["n"], name: "places")
    model.node("QuickGelu", ["y"], ["q"], name: "gate", domain: "com.microsoft")
    model.node("Loop", ["y"], ["i"], name: "choice")
    for name in ["n", "q", "i"] { model.output(name) }
    let error = try #require(failure(model))
    #expect(error.code == .unsupported)
    for part in [
      "4 operators", "Det (5: det0, det1, det2 …)", "NonZero on computed values (1: places)",
      "com.microsoft.QuickGelu (1: gate)", "Loop (1: choice)", "8 of 13", "onnxslim",
      "optimisations of onnxruntime",
    ] {
      #expect(text(error).contains(part), "\(part) in \(text(error))")
    }
  }

  @Test func operatorsOfNoVersionAreSaidToBe() throws {
    var model = ModelWriter.small
    model.opset = 13
    model.node("Frobnicate", ["y"], ["z"])
    model.node("RotaryEmbedding", ["y"], ["rotated"])
    model.output("z")
    model.output("rotated")
    let error = try #require(failure(model))
    #expect(text(error).contains("ONNX has no operator Frobnicate"))
    #expect(text(error).contains("RotaryEmbedding came with opset 23"))
  }

  @Test func constantRulesAreForConstants() throws {
    var model = ModelWriter.small
    model.integers("i", [0, 3, 0])
    model.node("NonZero", ["i"], ["n"])
    model.node("Cast", ["n"], ["floats"], numbers: ["to": 1])
    model.node("Mul", ["y", "floats"], ["z"])
    model.outputs = []
    model.output("z")
    #expect(failure(model) == nil)
  }

  @Test func typesAreNamed() throws {
    var model = ModelWriter()
    model.input("x", [.fixed(1), .fixed(2)], type: 7)
    model.node("Relu", ["x"], ["y"])
    model.output("y")
    #expect(text(try #require(failure(model))).contains("type: int64"))
    model = ModelWriter.small
    model.initialisers[0] = ModelWriter.tensor("w", [3, 2, 3, 3], type: 17, raw: [])
    #expect(text(try #require(failure(model))).contains("float8e4m3fn"))
  }

  /// Bounds whose difference is beyond every integer.
  @Test(
    arguments: [
      (3e38, -3e38, 1e-38), (-3e38, 3e38, 1e-38), (0, 1, 0), (0, .nan, 1),
    ] as [(Float, Float, Float)])
  func rangesThatCannotBe(_ bounds: (Float, Float, Float)) throws {
    var model = ModelWriter()
    model.input("x", [.fixed(1)])
    model.floats("a", [], [bounds.0])
    model.floats("b", [], [bounds.1])
    model.floats("c", [], [bounds.2])
    model.node("Range", ["a", "b", "c"], ["r"])
    model.node("Concat", ["x", "r"], ["y"], numbers: ["axis": 0])
    model.output("y")
    let isEmpty = bounds.0 > bounds.1
    #expect((failure(model) == nil) == isEmpty)
  }

  @Test(arguments: ["Tile", "GatherND", "ScatterND", "CumSum", "OneHot", "Trilu", "EyeLike"])
  func operandsThatDoNotFit(_ kind: String) throws {
    for values in [[], [-1], [1 << 40], [Int.min], [Int.max, 3], [0, 0, 0, 0, 0]] {
      var model = ModelWriter.small
      model.integers("i", values)
      model.integers("j", [7, -7])
      for operands in [["i"], ["v", "i"], ["v", "i", "b"], ["i", "i", "j"], ["i", "j", "i"]] {
        var other = model
        other.node(kind, operands, ["q"])
        other.node("Cast", ["q"], ["g"], numbers: ["to": 1])
        other.node("ReduceSum", ["g"], ["t"], numbers: ["keepdims": 0])
        other.node("Add", ["y", "t"], ["z"])
        other.outputs = []
        other.output("z")
        // Either it means something, or it is refused.
        #expect(throws: Never.self, "\(kind) \(operands) \(values)") {
          do { try load(other).validate() } catch is MartletError {}
        }
      }
    }
  }

  @Test(arguments: ["Split", "Gather", "Softmax", "Concat", "ArgMax", "CumSum"])
  func scalarsHaveNoAxes(_ kind: String) throws {
    for axis in [0, -1] {
      var model = ModelWriter.small
      model.floats("k", [], [1])
      model.integers("i", [0])
      let operands = ["Gather", "CumSum"].contains(kind) ? ["k", "i"] : ["k"]
      model.node(kind, kind == "Concat" ? ["k", "k"] : operands, ["q"], numbers: ["axis": axis])
      model.node("Cast", ["q"], ["g"], numbers: ["to": 1])
      model.node("Add", ["y", "g"], ["z"])
      model.outputs = []
      model.output("z")
      #expect(failure(model)?.code == .invalidShape, "\(kind) \(axis)")
    }
  }

  /// Layers of constants grow in work, not in size.
  @Test func workIsBounded() throws {
    var model = ModelWriter()
    model.input("x", [.fixed(1)])
    model.floats("c", [], [0.5])
    model.integers("s", [2048, 2048])
    model.node("Expand", ["c", "s"], ["m0"])
    for step in 0..<2000 { model.node("MatMul", ["m\(step)", "m0"], ["m\(step + 1)"]) }
    model.node("Mul", ["x", "m2000"], ["y"])
    model.output("y")
    #expect(failure(model)?.code == .resourceExhausted)
  }

  @Test func theListingIsThatOfTheRules() throws {
    let operators = ONNXImporter.operators
    #expect(operators.map(\.name) == operators.map(\.name).sorted())
    #expect(operators.count > 90)
    func entry(_ name: String) -> SupportedOperator? { operators.first { $0.name == name } }
    #expect(entry("Conv")?.opsets == 7...23)
    #expect(entry("Conv")?.limits != nil)
    #expect(entry("Upsample")?.opsets == 7...9)
    #expect(entry("LayerNormalization")?.opsets == 17...23)
    #expect(entry("CumSum")?.isConstantOnly == true)
    #expect(entry("Relu")?.isConstantOnly == false)
  }
}
