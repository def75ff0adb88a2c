import Engine
import Foundations
import Glibc
import ModelGraph
import ONNXImport
import Plan
import Planning
import TensorFiles
import Tensors
import TestSupport
import Testing

private let models = getenv("MARTLET_MODELS").map { String(cString: $0) }

@Suite("Real networks, split")
struct NetworkTests {
  @Test(
    "four devices compute what onnxruntime does",
    .enabled(if: models != nil, "set MARTLET_MODELS to a folder made by tools/make-models"),
    arguments: ["alexnet", "vgg16_bn", "convnext_tiny", "efficientnet_lite0"])
  func networks(name: String) throws {
    let folder = try #require(models)
    let graph = try ONNXImporter.load(path: "\(folder)/\(name).onnx")
    let input = try NumpyFile.read("\(folder)/\(name).input.npy")
    let expected = try NumpyFile.read("\(folder)/\(name).output.npy").floats ?? []
    let cluster = try cluster(graph, shares: [2, 1, 1, 1], method: .interleaved)
    let output = try cluster.run([input], alive: [true, true, true, true])
    let error = relativeError(output[0].floats ?? [], expected)
    print("\(name) on four devices: relative error \(error)")
    #expect(error < 1e-4)
  }
}
