import Foundation
import Kernels
import ModelGraph
import ONNXImport
import Tensors
import Testing

/// Whole networks against onnxruntime. `tools/make-models DIRECTORY --dynamo` makes the files.
@Suite(.serialized) struct NetworkTests {
  static let folder = ProcessInfo.processInfo.environment["MARTLET_MODELS"]

  static let names = [
    "alexnet", "alexnet_dynamo", "vgg16_bn", "vgg16_bn_dynamo", "convnext_tiny",
    "convnext_tiny_dynamo", "efficientnet_lite0", "efficientnet_lite0_dynamo",
  ]

  @Test(
    .enabled(
      if: folder != nil, "set MARTLET_MODELS to a folder made by tools/make-models --dynamo"),
    arguments: names)
  func agreesWithReference(_ name: String) throws {
    let folder = try #require(NetworkTests.folder)
    let graph = try ONNXImporter.load(path: "\(folder)/\(name).onnx")
    for node in graph.nodes {
      // Whatever the exporter wrote, these networks come down to these operations.
      switch node.operation {
      case .transpose, .matMul, .channelAffine, .pad, .unary:
        Issue.record("\(node.name) is left as \(node.operation.kindName)")
      default: break
      }
    }
    let input = try numpyArray("\(folder)/\(name).input.npy")
    let expected = try numpyArray("\(folder)/\(name).output.npy")
    let result = try #require(try Execution(Program(graph)).run(inputs: [input]).first)
    let error = relativeError(result, expected)
    print("\(name): relative error \(error)")
    #expect(error <= 1e-4)
  }
}

/// A float32 array in C order as numpy saves it.
private func numpyArray(_ path: String) throws -> Tensor {
  let data = try Data(contentsOf: URL(fileURLWithPath: path))
  try #require(data.count > 10 && data.starts(with: [0x93] + Array("NUMPY".utf8) + [1, 0]))
  let length = Int(data[8]) | Int(data[9]) << 8
  let header = String(decoding: data[10..<10 + length], as: UTF8.self)
  try #require(header.contains("'<f4'") && header.contains("'fortran_order': False"))
  let shape = try #require(header.firstMatch(of: /\(([0-9, ]*)\)/)).1
  let extents = shape.split(separator: ",").compactMap {
    Int($0.trimmingCharacters(in: .whitespaces))
  }
  let values = data.dropFirst(10 + length).withUnsafeBytes { buffer in
    (0..<buffer.count / 4).map {
      Float(
        bitPattern: UInt32(
          littleEndian: buffer.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
    }
  }
  return Tensor(Shape(extents), values)
}
