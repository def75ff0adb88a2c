import Foundation
import JSONCoding
import Kernels
import ONNXImport
import Planning
import TensorFiles
import Tensors
import Testing

/// The three scores as PyTorch computes them in float64; see tools/golden/make-importance-goldens.py.
@Suite struct ImportanceGoldenTests {
  private struct Golden: Decodable {
    struct Inputs: Decodable {
      var shape: Shape
      var values: [Float]
    }
    struct Layer: Decodable {
      var node: String
      var s1: [Double]
      var s2: [Double]
      var s3: [Double]
    }
    var model: String
    var inputs: Inputs
    var layers: [Layer]
  }

  /// The largest difference relative to the expected value, or to `floor` times the layer's largest
  /// where that is more: float32 cannot do better for a neuron that hardly matters.
  private func error(_ values: [Double], _ expected: [Double], floor: Double) -> Double {
    guard values.count == expected.count else { return .infinity }
    let least = floor * (expected.max() ?? 1)
    return zip(values, expected).reduce(0) { max($0, abs($1.0 - $1.1) / max($1.1, least)) }
  }

  @Test func `scores are those of PyTorch`() throws {
    let folder = Bundle.module.bundlePath + "/Goldens/"
    let golden = try JSON.decode(
      Golden.self, from: try FileSystem.read(folder + "importance.json"), source: "golden")
    let graph = try ONNXImporter.load(path: folder + golden.model)
    let shape = golden.inputs.shape
    let size = shape.innerCount(after: 0)
    let images = CalibrationImages(
      (0..<shape[0]).map {
        Tensor(
          shape.replacing(axis: 0, with: 1),
          Array(golden.inputs.values[($0 * size)..<(($0 + 1) * size)]))
      })
    var scores = try Scoring.start(graph: graph, model: "golden")
    try Scoring.addSensitivity(to: &scores, graph: graph, images: images)
    try Scoring.addDivergence(to: &scores, graph: graph, images: images)
    #expect(scores.layers.count == golden.layers.count)
    for (layer, expected) in zip(scores.layers, golden.layers) {
      let errors = (
        error(layer.s1, expected.s1, floor: 0), error(layer.s2 ?? [], expected.s2, floor: 1e-3),
        error(layer.s3 ?? [], expected.s3, floor: 1e-3)
      )
      #expect(errors.0 <= 1e-6, "s1 of \(layer.name) (\(expected.node))")
      #expect(errors.1 <= 1e-4, "s2 of \(layer.name) (\(expected.node))")
      #expect(errors.2 <= 1e-4, "s3 of \(layer.name) (\(expected.node))")
    }
  }
}
