import Foundation
import Foundations
import Kernels
import ModelGraph
import ONNXImport
import Tensors
import Testing

/// Every operator against onnxruntime, as imported and after optimisation.
@Suite struct OperatorTests {
  @Test func thereAreCases() {
    #expect(GoldenCase.operators.count > 200)
    #expect(GoldenCase.layers.count > 150)
    #expect(GoldenCase.constants.count > 80)
  }

  private func load(_ golden: GoldenCase, optimising: Bool) throws -> Graph {
    let path = FileManager.default.temporaryDirectory.appending(
      path: "martlet-golden-\(UUID().uuidString).onnx"
    ).path
    try golden.model.write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try ONNXImporter.load(path: path, optimising: optimising)
  }

  /// What follows from constants is a constant: the addition alone is left to compute.
  @Test(arguments: GoldenCase.constants)
  func foldsConstants(_ golden: GoldenCase) throws {
    let graph = try load(golden, optimising: false)
    #expect(graph.nodes.map(\.operation) == [.binary(.add)])
    let results = try Execution(Program(graph)).run(inputs: golden.inputs)
    #expect(results.map(\.shape) == golden.outputs.map(\.shape))
    for (result, expected) in zip(results, golden.outputs) {
      #expect(relativeError(result, expected) <= 1e-5)
    }
  }

  @Test(arguments: GoldenCase.all, [false, true])
  func agreesWithReference(_ golden: GoldenCase, optimising: Bool) throws {
    let graph = try load(golden, optimising: optimising)
    let results = try Execution(Program(graph)).run(inputs: golden.inputs)
    #expect(results.count == golden.outputs.count)
    for (result, expected) in zip(results, golden.outputs) {
      #expect(result.shape == expected.shape)
      #expect(relativeError(result, expected) <= 1e-4)
    }
  }
}
