import Foundation
import Foundations
import ModelGraph
import ONNXImport
import Tensors
import Testing

@Suite struct ImportTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func load(
    _ model: ModelWriter, batch: Int = 1, dimensions: [String: Int] = [:]
  ) throws -> Graph {
    try ONNXImporter.load(
      path: folder.write(model.bytes), batch: batch, dimensions: dimensions)
  }

  func failure(_ model: ModelWriter, batch: Int = 1) -> MartletError? {
    do {
      _ = try load(model, batch: batch)
      return nil
    } catch {
      return error as? MartletError
    }
  }

  @Test func readsASmallModel() throws {
    let graph = try load(.small, batch: 3)
    #expect(
      graph.nodes.map(\.operation.kindName) == [
        "convolution", "maximumPooling", "reshape", "dense",
      ])
    #expect(graph[graph.inputs[0]].name == "x")
    #expect(graph[graph.inputs[0]].shape == [3, 2, 6, 6])
    #expect(graph[graph.outputs[0]].name == "y")
    #expect(graph[graph.outputs[0]].shape == [3, 4])
    guard case .convolution(let convolution) = graph.nodes[0].operation else {
      Issue.record("no convolution")
      return
    }
    #expect(convolution.activation == .relu)
    #expect(convolution.padding == Padding(1, 1, 1, 1))
  }

  @Test func namesAnUnsupportedOperator() throws {
    var model = ModelWriter.small
    model.node("Frobnicate", ["y"], ["z"], name: "odd", domain: "com.example")
    model.outputs = []
    model.output("z")
    let error = try #require(failure(model))
    #expect(error.code == .unsupported)
    for part in ["Frobnicate", "odd", "com.example", "17", "describe --operators"] {
      #expect("\(error.description) \(error.hint ?? "")".contains(part), "\(part) in \(error)")
    }
  }

  @Test func ignoresWhatNoOutputNeeds() throws {
    var model = ModelWriter.small
    model.node("Frobnicate", ["y"], ["z"])
    #expect(throws: Never.self) { try load(model) }
  }

  @Test func sortsNodes() throws {
    var model = ModelWriter.small
    model.nodes.reverse()
    #expect(try load(model).nodes == load(.small).nodes)
  }

  @Test func bindsDimensions() throws {
    var model = ModelWriter()
    model.input("x", [.open("n"), .open("width")])
    model.node("Relu", ["x"], ["y"])
    model.output("y")
    let error = try #require(failure(model))
    #expect(error.code == .invalidArgument)
    #expect("\(error.description) \(error.hint ?? "")".contains("--dimension width=224"))
    let graph = try load(model, batch: 2, dimensions: ["width": 5])
    #expect(graph[graph.outputs[0]].shape == [2, 5])
    #expect(throws: MartletError.self) { try load(model, batch: 0) }
  }

  @Test func refusesAnotherBatchThanTheFixedOne() throws {
    var model = ModelWriter()
    model.input("x", [.fixed(2), .fixed(3)])
    model.node("Relu", ["x"], ["y"])
    model.output("y")
    #expect(failure(model, batch: 4)?.code == .mismatch)
    #expect(failure(model, batch: 2) == nil)
  }

  @Test(arguments: [6, 24]) func refusesOtherOpsets(_ opset: Int) throws {
    var model = ModelWriter.small
    model.opset = opset
    #expect(failure(model)?.code == .unsupported)
  }

  @Test func readsExternalWeights() throws {
    var model = ModelWriter()
    model.input("x", [.fixed(1), .fixed(2)])
    model.initialisers.append(
      ModelWriter.tensor(
        "c", [2], type: 1,
        external: ["location": "weights.bin", "offset": "4", "length": "8"]))
    model.node("Add", ["x", "c"], ["y"])
    model.output("y")
    #expect(failure(model)?.code == .notFound)
    _ = try folder.write([9, 9, 9, 9, 0, 0, 128, 63, 0, 0, 0, 64], "weights.bin")
    let graph = try load(model)
    #expect(graph.constants.values.first?.floats == [1, 2])
    _ = try folder.write([9, 9, 9, 9, 0, 0, 128, 63, 0, 0, 0], "weights.bin")
    #expect(failure(model)?.code == .invalidFile)
  }

  @Test(arguments: ["../secret", "/etc/passwd", "a/../../b", "", "link"])
  func refusesExternalFilesElsewhere(_ location: String) throws {
    var model = ModelWriter()
    model.input("x", [.fixed(1), .fixed(2)])
    model.initialisers.append(
      ModelWriter.tensor("c", [2], type: 1, external: ["location": location]))
    model.node("Add", ["x", "c"], ["y"])
    model.output("y")
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/link", withDestinationPath: "/etc/passwd")
    let error = try #require(failure(model))
    #expect(error.code == .invalidFile)
    #expect(error.message.contains("outside"))
  }

  /// A hub client's cache: a snapshot of links to files that lie in `blobs` beside the snapshots.
  @Test(arguments: [("blobs", true), ("blobs/deeper", false), ("elsewhere", false)])
  func followsLinksInsideOfAHubCache(_ place: String, _ isAllowed: Bool) throws {
    var model = ModelWriter()
    model.input("x", [.fixed(1), .fixed(2)])
    model.initialisers.append(
      ModelWriter.tensor("c", [2], type: 1, external: ["location": "model.onnx.data"]))
    model.node("Add", ["x", "c"], ["y"])
    model.output("y")
    let (repository, manager) = ("\(folder.path)/models--a--b", FileManager.default)
    let snapshot = "\(repository)/snapshots/0123abc/onnx"
    for path in [snapshot, "\(repository)/\(place)"] {
      try manager.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    _ = try folder.write([0, 0, 128, 63, 0, 0, 0, 64], "models--a--b/\(place)/f00d")
    _ = try folder.write(model.bytes, "models--a--b/\(place)/cafe")
    for (name, blob) in [("model.onnx", "cafe"), ("model.onnx.data", "f00d")] {
      try manager.createSymbolicLink(
        atPath: "\(snapshot)/\(name)",
        withDestinationPath: "../../../\(place)/\(blob)")
    }
    guard isAllowed else {
      #expect(throws: MartletError.self) {
        try ONNXImporter.load(path: "\(snapshot)/model.onnx")
      }
      return
    }
    let graph = try ONNXImporter.load(path: "\(snapshot)/model.onnx")
    #expect(graph.constants.values.first?.floats == [1, 2])
  }

  /// float16 1.5, bfloat16 1.5, double 1.5 and int32, uint8 and bool 1.
  @Test(
    arguments: [
      (10, [0x00, 0x3E], Float(1.5)), (16, [0xC0, 0x3F], 1.5),
      (11, [0, 0, 0, 0, 0, 0, 0xF8, 0x3F], 1.5), (6, [1, 0, 0, 0], 1), (2, [1], 1), (9, [1], 1),
    ] as [(Int, [UInt8], Float)])
  func convertsConstants(_ type: Int, _ raw: [UInt8], _ value: Float) throws {
    var model = ModelWriter()
    model.input("x", [.fixed(1), .fixed(2)])
    model.initialisers.append(ModelWriter.tensor("c", [1], type: type, raw: raw))
    model.node("Cast", ["c"], ["d"], numbers: ["to": 1])
    model.node("Add", ["x", "d"], ["y"])
    model.output("y")
    #expect(try load(model).constants.values.first?.floats == [value])
  }
}
