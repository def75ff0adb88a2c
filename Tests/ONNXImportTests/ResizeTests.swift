import Foundations
import ModelGraph
import ONNXImport
import Tensors
import Testing

/// What is wrong about a Resize is said of it by its name, before anything is computed.
@Suite struct ResizeTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A model of one node named `resize`.
  private func model(
    _ operands: [String], opset: Int = 18, kind: String = "Resize",
    texts: [String: String] = [:], numbers: [String: Int] = [:], axes: [Int]? = nil,
    _ constants: (inout ModelWriter) -> Void
  ) -> ModelWriter {
    var model = ModelWriter()
    model.opset = opset
    model.input("x", [.fixed(1), .fixed(3), .fixed(8), .fixed(8)])
    constants(&model)
    model.node(
      kind, ["x"] + operands, ["y"], name: "resize",
      integers: axes.map { ["axes": $0] } ?? [:], numbers: numbers, texts: texts)
    model.output("y")
    return model
  }

  private func failure(_ model: ModelWriter) throws -> MartletError? {
    do {
      _ = try ONNXImporter.load(path: folder.write(model.bytes))
      return nil
    } catch let error as MartletError {
      #expect(error.context.contains { $0.key == "node" && $0.value == "resize" }, "\(error)")
      return error
    }
  }

  @Test(
    arguments: [
      // 10^9 pixels, and more.
      [1, 3, 31_623, 31_623], [1, 3, 1 << 40, 8], [1, 3, .max, .max], [1, 3, -8, 16], [1, 3, 0, 8],
      [16, 16], [1, 3, 8, 8, 8], [1, 3, .min, 8],
    ])
  func impossibleSizes(_ sizes: [Int]) throws {
    let error = try failure(model(["", "", "sizes"]) { $0.integers("sizes", sizes) })
    #expect([.invalidShape, .invalidFile].contains(error?.code), "\(sizes)")
  }

  @Test(
    arguments: [
      [1, 1, 0, 2], [1, 1, -2, 2], [1, 1, .nan, 2], [1, 1, .infinity, 2], [1, 1, 1e30, 2],
      [1, 1, 1e-30, 2], [2, 2], [1, 1, 0.1, 2], [1e4, 1e4, 1e4, 1e4],
    ] as [[Float]])
  func impossibleScales(_ scales: [Float]) throws {
    let given = model(["", "scales"]) { $0.floats("scales", [scales.count], scales) }
    let error = try failure(given)
    #expect([.invalidShape, .invalidFile].contains(error?.code), "\(scales)")
  }

  @Test func impossibleOperands() throws {
    // Neither, both, of the wrong type, computed.
    #expect(try failure(model([]) { _ in })?.code == .invalidFile)
    #expect(
      try failure(
        model(["", "scales", "sizes"]) {
          $0.floats("scales", [4], [1, 1, 2, 2])
          $0.integers("sizes", [1, 3, 16, 16])
        })?.code == .invalidFile)
    #expect(
      try failure(model(["", "sizes"]) { $0.integers("sizes", [1, 1, 2, 2]) })?.code
        == .invalidFile)
    #expect(try failure(model(["", "x"]) { _ in })?.code == .unsupported)
    #expect(
      try failure(
        model(["", "scales"], axes: [2, 2]) { $0.floats("scales", [2], [2, 2]) }) != nil)
    #expect(
      try failure(model(["", "scales"], axes: [4]) { $0.floats("scales", [1], [2]) }) != nil)
  }

  @Test(
    arguments: [
      "mode": "lanczos", "coordinate_transformation_mode": "half_pixels", "nearest_mode": "round",
    ])
  func unknownKinds(attribute: String, name: String) throws {
    let given = model(["", "scales"], texts: [attribute: name]) {
      $0.floats("scales", [4], [1, 1, 2, 2])
    }
    let error = try failure(given)
    #expect(error?.code == .unsupported)
    #expect(error?.context.contains { $0.value == name } == true)
  }

  @Test func combinationsThatAreRefused() throws {
    func scaled(
      opset: Int = 18, _ kind: String = "Resize", texts: [String: String] = [:],
      numbers: [String: Int] = [:], region: [Float]? = nil
    ) throws -> MartletError? {
      let operands = kind == "Upsample" ? ["scales"] : [region == nil ? "" : "region", "scales"]
      return try failure(
        model(operands, opset: opset, kind: kind, texts: texts, numbers: numbers) {
          $0.floats("scales", [4], [1, 1, 2, 2])
          if let region { $0.floats("region", [region.count], region) }
        })
    }
    #expect(try scaled() == nil)
    #expect(try scaled(numbers: ["antialias": 1])?.code == .unsupported)
    let crop = ["coordinate_transformation_mode": "tf_crop_and_resize"]
    #expect(try scaled(texts: crop)?.code == .invalidFile)
    #expect(try scaled(texts: crop, region: [0, 1])?.code == .invalidFile)
    #expect(try scaled(texts: crop, region: [0, 0, .nan, 0, 1, 1, 1, 1])?.code == .invalidShape)
    #expect(try scaled(texts: crop, region: [0, 0, 0, 0, 1, 1, 1, 1]) == nil)
    #expect(try scaled(opset: 9, "Upsample") == nil)
    #expect(try scaled(opset: 13, "Upsample")?.code == .unsupported)
  }

  @Test func scalesOfOneAreNothing() throws {
    let given = model(["", "scales"]) { $0.floats("scales", [4], [1, 1, 1, 1]) }
    let graph = try ONNXImporter.load(path: folder.write(given.bytes))
    #expect(!graph.nodes.contains { $0.operation.kind == "resize" })
  }
}
